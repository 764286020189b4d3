using Drive.Control;
using Drive.Service.Keys;
using Drive.Service.Settings;

namespace Drive.Service.Tests;

public sealed class SettingsTests
{
    private static readonly VaultEntry Work = new() { Name = "work", Store = "/mnt/nas/work", VaultId = new string('a', 64), Keys = KeyPlace.File };

    [Fact]
    public void What_is_put_is_found_again_by_another_process()
    {
        using TemporaryHome home = new();
        VaultEntry changed = Work with { LogStore = "s3://log/x", Mountpoint = "/mnt/work", CacheLimitBytes = 5, Keys = KeyPlace.Passphrase };
        VaultBook book = new(home.Paths, home.Disk);
        Assert.Empty(book.All());
        book.Put(Work);
        book.Put(Work with { Name = "alpha" });
        book.Put(changed);
        Assert.Equal([Work with { Name = "alpha" }, changed], new VaultBook(home.Paths, home.Disk).All());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(home.Paths.ConfigFile));
    }

    [Fact]
    public void A_name_that_nobody_knows_is_refused_with_those_that_are_known()
    {
        using TemporaryHome home = new();
        VaultBook book = new(home.Paths, home.Disk);
        book.Put(Work);
        DriveException refusal = Assert.Throws<DriveException>(() => book.Get("wrok"));
        Assert.Equal(DriveError.NotFound, refusal.Error);
        Assert.Contains("work", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"version\":2,\"vaults\":[]}")]
    [InlineData("{\"version\":1}")]
    [InlineData("nonsense")]
    public void A_settings_file_that_is_not_ours_is_refused_and_left_as_it_is(string content)
    {
        using TemporaryHome home = new();
        OwnerOnly.CreateDirectory(home.Paths.Config);
        File.WriteAllText(home.Paths.ConfigFile, content);
        VaultBook book = new(home.Paths, home.Disk);
        Assert.Throws<DriveException>(() => book.Put(Work));
        Assert.Equal(content, File.ReadAllText(home.Paths.ConfigFile));
    }

    [Fact]
    public async Task Keys_lie_in_a_file_for_their_owner_only()
    {
        using TemporaryHome home = new();
        KeyStorage keys = new(home.Paths, home.Disk, TimeProvider.System, _ => null);
        Assert.Equal(KeyPlace.File, await keys.SaveAsync("work", Work.VaultId, [1, 2, 3], CancellationToken.None));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(keys.FileOf("work")));
        Assert.Equal([1, 2, 3], await keys.LoadAsync(Work, CancellationToken.None));
    }

    [Fact]
    public async Task Keys_that_others_may_read_are_not_used()
    {
        using TemporaryHome home = new();
        KeyStorage keys = new(home.Paths, home.Disk, TimeProvider.System, _ => null);
        await keys.SaveAsync("work", Work.VaultId, [1], CancellationToken.None);
        File.SetUnixFileMode(keys.FileOf("work"), UnixFileMode.UserRead | UnixFileMode.GroupRead);
        DriveException refusal = await Assert.ThrowsAsync<DriveException>(() => keys.LoadAsync(Work, CancellationToken.None));
        Assert.Equal(DriveError.WrongSecret, refusal.Error);
    }

    [Fact]
    public async Task Keys_that_are_gone_are_a_refusal_that_names_the_way_back()
    {
        using TemporaryHome home = new();
        KeyStorage keys = new(home.Paths, home.Disk, TimeProvider.System, _ => null);
        DriveException refusal = await Assert.ThrowsAsync<DriveException>(() => keys.LoadAsync(Work, CancellationToken.None));
        Assert.Contains("drive recover /mnt/nas/work", refusal.Message, StringComparison.Ordinal);
    }
}
