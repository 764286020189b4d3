using System.Text.Json;
using Drive.Testing.Stores;

namespace Drive.Cli.Tests;

/// <summary>The command on a bucket of a real S3 server.</summary>
public sealed class S3Tests(CephGateway gateway) : IClassFixture<CephGateway>
{
    [CephFact]
    public async Task A_drive_in_a_bucket_is_filled_sent_and_recovered_on_another_machine()
    {
        string url = (await gateway.NewBucketAsync()).Replace("?", "/ana/vault?", StringComparison.Ordinal);
        using DriveHome home = new();
        string key = home.Do("up", home.Mount, "--store", url).Output;
        FarFiles files = new(1000);
        files.Write(home.Mount);
        home.Do("wait");
        JsonElement status = home.Status();
        Assert.Equal("reachable", status.GetProperty("storeState").GetString());
        Assert.InRange(status.GetProperty("traffic").GetProperty("requests").GetInt64(), 1, 100);
        home.Do("umount");

        // Refused as long as it is no vault of anybody.
        Assert.Equal((int)ExitCode.StoreUnreachable, home.Run("recover", "s3://never-made?endpoint=" + gateway.Endpoint.OriginalString).Code);
        using DriveHome other = new(home.Root);
        files.FindOn(other, key, url);
        File.Delete(Path.Combine(other.Mount, "film"));
        other.Do("umount", "--wait");
    }
}
