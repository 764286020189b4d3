using System.Text;
using Drive.Core.Volumes;
using Drive.Testing;

namespace Drive.Backup.Tests;

/// <summary>A folder of this machine, a set that holds it, and a runner over the reference volume.</summary>
internal sealed class BackupBench : IAsyncDisposable
{
    public BackupBench()
    {
        Home = Directory.CreateTempSubdirectory("drive-backup-").FullName;
        Source = Path.Combine(Home, "source");
        Directory.CreateDirectory(Source);
        Volume = new ReferenceVolume(Time);
        Import = new ReferenceImport(Volume);
        Sets = new BackupSets(Path.Combine(Home, "sets"));
        Set = new BackupSet { Name = "docs", Paths = [Source] };
        Sets.Put(Set);
    }

    public string Home { get; }

    public string Source { get; }

    public ManualTime Time { get; } = new();

    public ReferenceVolume Volume { get; }

    public ReferenceImport Import { get; }

    public BackupSets Sets { get; }

    public BackupSet Set { get; set; }

    public Action<byte[]>? Reading { get; set; }

    public static BackupPlace Place { get; } = new() { DeviceName = "here", Key = Encoding.ASCII.GetBytes("0123456789abcdef0123456789abcdef") };

    public string InVault => "/Backups/here/docs" + Source;

    public string At(string name) => Path.Combine(Source, name);

    public void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), text);
    }

    public BackupRunner Runner(IVolume? volume = null, IContentImport? import = null, BackupPlace? place = null) =>
        new(volume ?? Volume, import ?? Import, Sets, place ?? Place, Time, new SeededRandom(1)) { Reading = path => Reading?.Invoke(path) };

    public async Task<BackupReport> RunAsync(BackupOptions? options = null, BackupPlace? place = null)
    {
        Time.Advance(TimeSpan.FromMinutes(1));
        using BackupRunner runner = Runner(place: place);
        return await runner.RunAsync(Set, options ?? new BackupOptions(), null, CancellationToken.None);
    }

    public async Task AssertExactAsync() => TreeImage.AssertSame(TreeImage.OfDisk(Source), await TreeImage.OfVolumeAsync(Volume, InVault));

    public async ValueTask DisposeAsync()
    {
        await Volume.DisposeAsync();
        Directory.Delete(Home, recursive: true);
    }
}
