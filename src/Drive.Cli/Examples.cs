using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Drive.Cli;

/// <summary>A command that knows examples of its use; its help shows them.</summary>
internal sealed class ExampleCommand(string name, string description, params string[] examples) : Command(name, description)
{
    /// <summary>Command lines, with a remark after '#'.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;
}

/// <summary>The usual help, then examples, and for the whole command the exit codes.</summary>
internal sealed class ExampleHelp(HelpAction inner) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int result = inner.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        Command command = parseResult.CommandResult.Command;
        IReadOnlyList<string> examples = command switch
        {
            ExampleCommand known => known.Examples,
            RootCommand => CommandLine.RootExamples,
            _ => [],
        };
        if (examples.Count > 0)
        {
            output.WriteLine("Examples:");
            foreach (string example in examples)
            {
                output.WriteLine("  " + example);
            }

            output.WriteLine();
        }

        if (command is RootCommand)
        {
            output.WriteLine("Exit codes:");
            foreach ((ExitCode code, string meaning) in ExitCodes.All)
            {
                output.WriteLine($"  {(int)code,2}  {meaning}");
            }
        }

        return result;
    }
}
