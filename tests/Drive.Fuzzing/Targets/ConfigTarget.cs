using Drive.Control;
using Drive.Core.Platform;
using Drive.Service.Settings;
using Drive.Testing.Disk;

namespace Drive.Fuzzing.Targets;

/// <summary>The settings file: the vaults it names, or a refusal that says what to do.</summary>
internal sealed class ConfigTarget : FuzzTarget
{
    private readonly DrivePaths _paths = DrivePaths.Resolve(static name => name == "DRIVE_HOME" ? "/home" : null, "/home");

    public override string Name => "config";

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        """{"version":1,"vaults":[{"name":"work","store":"/mnt/nas","vaultId":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","keys":"file","mountpoint":"/mnt/work","cacheLimitBytes":1000}]}"""u8.ToArray(),
        """{"version":1,"vaults":[]}"""u8.ToArray(),
        "null"u8.ToArray(),
    ];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
        [.. new[] { "\"name\"", "\"store\"", "\"vaultId\"", "\"keys\"", "\"passphrase\"", "\"keyring\"", "null", "true", "[", "]", "{", "}", ":", ",", "1e999", "-1", "\"\\u0000\"", "\"../x\"" }.Select(System.Text.Encoding.UTF8.GetBytes)];

    public override void Run(byte[] input)
    {
        MemoryDisk disk = new();
        disk.CreateDirectory(_paths.Config);
        using (IDiskFile file = disk.Open(_paths.ConfigFile, DiskOpenMode.CreateNew)!)
        {
            file.Write(0, input);
        }

        try
        {
            IReadOnlyList<VaultEntry> all = new VaultBook(_paths, disk).All();
            foreach (VaultEntry entry in all)
            {
                // Names and ids become file names.
                string state = _paths.StateOf(entry.VaultId);
                if (!VaultName.IsValid(entry.Name) || Path.GetFullPath(state) != state || !state.StartsWith("/home/", StringComparison.Ordinal))
                {
                    throw new InvalidOperationException($"'{entry.Name}' leads to '{state}'");
                }
            }
        }
        catch (DriveException)
        {
        }
    }
}
