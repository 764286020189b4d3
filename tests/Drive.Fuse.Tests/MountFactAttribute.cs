using Drive.Fuse.Native;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Drive.Fuse.Tests;

/// <summary>A test on a real mount: skipped, with the reason, where the machine cannot mount.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Drive.Fuse.Tests.MountFactDiscoverer", "Drive.Fuse.Tests")]
internal class MountFactAttribute : FactAttribute
{
    public MountFactAttribute()
    {
        int descriptor = Libc.Open("/dev/fuse", Libc.OpenReadWrite | Libc.OpenCloseOnExec, 0);
        if (descriptor < 0)
        {
            Skip = $"/dev/fuse cannot be opened (errno {Libc.LastError}).";
            return;
        }

        _ = Libc.Close(descriptor);
        if (Libc.EffectiveUserId() != 0)
        {
            Skip = "Mounting with mount(2) needs root.";
        }
    }
}

/// <summary>A test that mounts through fusermount3.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FusermountFactAttribute : MountFactAttribute
{
    public FusermountFactAttribute()
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':');
        if (Skip is null && !folders.Any(static folder => File.Exists(Path.Combine(folder, "fusermount3"))))
        {
            Skip = "fusermount3 is not installed (package fuse3).";
        }
    }
}

/// <summary>A test may be inherited by a class for each transport, of which the machine may lack one: the class decides about skipping, too.</summary>
public sealed class MountFactDiscoverer(IMessageSink sink) : FactDiscoverer(sink)
{
    protected override IXunitTestCase CreateTestCase(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        new MountTestCase(DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod);
}

/// <summary>A test that is skipped, with the reason, when its class is for io_uring and this machine does not let FUSE use it.</summary>
public sealed class MountTestCase : XunitTestCase
{
    [Obsolete("For the framework, which makes it and then fills it in.")]
    public MountTestCase()
    {
    }

    public MountTestCase(IMessageSink sink, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method)
        : base(sink, display, options, method)
    {
    }

    protected override string GetSkipReason(IAttributeInfo factAttribute) =>
        base.GetSkipReason(factAttribute)
        ?? (TestMethod.TestClass.Class.ToRuntimeType().IsDefined(typeof(OverUringAttribute), inherit: true) ? UringMachine.Obstacle : null)!;
}

/// <summary>Mounts are made one after another: the machine's load is part of what they wait for.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MountTestsDefinition
{
    public const string Name = "mounts";
}
