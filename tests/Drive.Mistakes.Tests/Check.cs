using System.Reflection;
using Xunit.Abstractions;

namespace Drive.Mistakes.Tests;

/// <summary>What has to notice a mistake: one test of a suite, or a run of the simulation.</summary>
/// <param name="Layer">The layer of the tests, as <c>docs/testing.md</c> calls it.</param>
/// <param name="Name">Which test or run.</param>
/// <param name="RunAsync">Throws when it notices something.</param>
internal sealed record Check(string Layer, string Name, Func<Task> RunAsync)
{
    /// <summary>A test of a class that the suite runs as well, with the arguments of one of its rows.</summary>
    public static Check Test<T>(string layer, string method, params object[] arguments) =>
        new(layer, $"{typeof(T).Name}.{method}", () => RunTestAsync(typeof(T), method, arguments));

    private static async Task RunTestAsync(Type type, string method, object[] arguments)
    {
        MethodInfo test = type.GetMethod(method) ?? throw new InvalidOperationException($"{type.Name} has no test {method} any more.");
        object suite = type.GetConstructors().Single().GetParameters().Length == 0
            ? Activator.CreateInstance(type)!
            : Activator.CreateInstance(type, new Silence())!;
        try
        {
            if (suite is IAsyncLifetime begins)
            {
                await begins.InitializeAsync();
            }

            if (test.Invoke(suite, BindingFlags.DoNotWrapExceptions, null, arguments, null) is Task running)
            {
                await running;
            }
        }
        finally
        {
            if (suite is IAsyncLifetime ends)
            {
                await ends.DisposeAsync();
            }

            (suite as IDisposable)?.Dispose();
        }
    }

    /// <summary>What a test would say is about a fault that is meant to be there.</summary>
    private sealed class Silence : ITestOutputHelper
    {
        public void WriteLine(string message)
        {
        }

        public void WriteLine(string format, params object[] args)
        {
        }
    }
}
