using Drive.Vault;

namespace Drive.Security.Tests;

/// <summary>What must be refused, and how.</summary>
internal static class Refusals
{
    public static async Task CatchUpRefusedAsync(this LightClient device, IntegrityKind kind)
    {
        var error = await Assert.ThrowsAsync<VaultIntegrityException>(() => device.CatchUpAsync(CancellationToken.None));
        Assert.Null(Verdict.Complain(error));
        Assert.Equal(kind, error.Kind);
    }
}
