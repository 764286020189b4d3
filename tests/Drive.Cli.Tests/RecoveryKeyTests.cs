namespace Drive.Cli.Tests;

/// <summary>Another recovery key, with the real command.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class RecoveryKeyTests
{
    [MountFact]
    public void A_new_recovery_key_is_in_force_when_it_was_typed_and_opens_the_vault_alone()
    {
        using DriveHome home = new();
        string store = Path.Combine(home.Root, "store");
        string old = home.Do("init", store).Output;
        home.Do("mount", "drive", home.Mount);
        File.WriteAllText(Path.Combine(home.Mount, "note"), "before");

        // Typed wrongly, nothing changes.
        Ran slip = home.RunWith(old, "recovery-key", "renew");
        Assert.Equal((int)ExitCode.NotReady, slip.Code);
        string discarded = slip.Output;
        using DriveHome other = new(home.Root);
        Assert.Equal((int)ExitCode.WrongSecret, other.RunWith(discarded, "recover", store).Code);

        Ran renewed = home.Do("recovery-key", "renew", "--unasked");
        Assert.Contains("What was stored before stays", renewed.Error, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(home.Mount, "note"), "after");
        home.Do("umount", "--wait");
        Assert.Equal((int)ExitCode.WrongSecret, other.RunWith(old, "recover", store).Code);
        Assert.Equal((int)ExitCode.WrongSecret, other.RunWith(discarded, "recover", store).Code);
        Ran recovered = other.RunWith(renewed.Output, "recover", store);
        Assert.True(recovered.Code == 0, recovered.ToString());
        other.Do("mount", "drive", other.Mount);
        Assert.Equal("after", File.ReadAllText(Path.Combine(other.Mount, "note")));

        // Without a mount, and by the one who was let in.
        other.Do("umount");
        string third = other.Do("recovery-key", "renew", "--unasked").Output;
        Assert.NotEqual(renewed.Output, third);
    }
}
