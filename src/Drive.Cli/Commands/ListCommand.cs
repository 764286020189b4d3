using System.CommandLine;
using System.Text.Json;
using Drive.Control;
using Drive.Service;
using Drive.Service.Settings;

namespace Drive.Cli.Commands;

/// <summary><c>drive list</c>: every vault that this machine knows, mounted or not.</summary>
internal static class ListCommand
{
    public static Command Build()
    {
        Option<bool> json = new("--json") { Description = "Print JSON." };
        ExampleCommand command = new("list", "List the vaults that this machine knows.", "drive list", "drive list --json | jq -r '.[].name'");
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DriveService service = DriveService.Create();
            List<ListedVault> vaults = [];
            foreach (VaultEntry entry in service.Book.All())
            {
                using ControlClient? running = await Running.FindAsync(service.Paths, entry.Name, cancellationToken);
                vaults.Add(new ListedVault(
                    entry.Name, entry.Store, entry.LogStore, entry.VaultId, running is not null, running?.Daemon.Mountpoint ?? entry.Mountpoint, running?.Daemon.Pid, entry.Keys));
            }

            if (parsed.GetValue(json))
            {
                Terminal.Print(JsonSerializer.Serialize(vaults, CliJson.Default.IReadOnlyListListedVault));
                return (int)ExitCode.Done;
            }

            foreach (ListedVault vault in vaults)
            {
                string where = vault.Mounted ? $"mounted at {vault.Mountpoint}" : "not mounted";
                Terminal.Print($"{vault.Name,-12} {where,-40} {VaultEntry.Together(vault.Store, vault.LogStore)}");
            }

            if (vaults.Count == 0)
            {
                Terminal.Print("No vaults yet: 'drive up' makes one, 'drive recover STORE' brings one here.");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }
}

/// <summary>A vault in a list.</summary>
internal sealed record ListedVault(string Name, string Store, string? LogStore, string VaultId, bool Mounted, string? Mountpoint, int? Pid, KeyPlace Keys);
