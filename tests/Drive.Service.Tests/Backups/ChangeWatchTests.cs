using Drive.Backup;
using Drive.Backup.Patterns;
using Drive.Service.Backups;

namespace Drive.Service.Tests.Backups;

public sealed class ChangeWatchTests
{
    [Fact]
    public void Changes_below_a_folder_and_of_a_file_are_heard_and_what_is_left_out_is_not()
    {
        using TemporaryHome home = new();
        string folder = Directory.CreateDirectory(Path.Combine(home.Root, "docs", "deep")).Parent!.FullName;
        string state = Directory.CreateDirectory(Path.Combine(folder, "state")).FullName;
        Directory.CreateDirectory(Path.Combine(folder, "node_modules"));
        string file = Path.Combine(home.Root, "one");
        File.WriteAllText(file, "x");
        BackupSet set = new() { Name = "s", Paths = [folder, file], Excludes = ["*.log"], Presets = ["caches"] };
        int heard = 0;
        using ChangeWatch watch = new(set, (of, path) => IgnoreRules.ForSet(of, path, "/home/ana"), [state], () => Interlocked.Increment(ref heard));
        Assert.False(watch.IsBlind);

        File.WriteAllText(Path.Combine(folder, "a.log"), "x");
        File.WriteAllText(Path.Combine(folder, "node_modules", "x"), "x");
        File.WriteAllText(Path.Combine(state, "metadata.db"), "x");
        File.WriteAllText(Path.Combine(home.Root, "another"), "x");

        // Events come in order for a folder: when this one was heard, those before were not.
        File.WriteAllText(Path.Combine(folder, "deep", "text"), "x");
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref heard) > 0, TimeSpan.FromSeconds(20)));
        int creations = Volatile.Read(ref heard);
        Assert.InRange(creations, 1, 3);
        File.AppendAllText(file, "y");
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref heard) > creations, TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public void What_cannot_be_watched_is_known()
    {
        using ChangeWatch watch = new(new BackupSet { Name = "s", Paths = ["/no/such/folder/at/all"] }, static (_, _) => IgnoreRules.None, [], static () => { });
        Assert.True(watch.IsBlind);
    }
}
