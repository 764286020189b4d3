using Amazon.S3;
using Amazon.S3.Model;

namespace Drive.Testing.Stores;

/// <summary>
/// A real S3 server: Ceph's object gateway with one monitor, one manager and one disk in a temporary directory, on loopback only and without authentication between
/// its own daemons. Started once for all tests of the collection.
/// </summary>
public sealed class CephGateway() : LocalServer("ceph"), IAsyncLifetime
{
    private const string Id = "a1b2c3d4-0000-4000-8000-5e6f70819203";
    private const string AccessKey = "DRIVETESTKEY";
    private const string SecretKey = "drive-test-secret";

    private static readonly string[] Programs = ["ceph-mon", "ceph-mgr", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "ceph-authtool", "monmaptool"];

    private AmazonS3Client? _client;
    private int _buckets;

    /// <summary>Why it cannot run here; null when it can.</summary>
    public static string? Missing { get; } = Array.Find(Programs, static program => Find(program) is null) is { } missing ? $"{missing} is not installed (apt install radosgw ceph-mon ceph-osd ceph-mgr ceph-common)" : null;

    public Uri Endpoint { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (Missing is not null)
        {
            return;
        }

        int[] ports = FreePorts(3);
        Endpoint = new Uri($"http://127.0.0.1:{ports[2]}");
        await WriteConfigurationAsync(ports);
        await RunAsync("ceph-authtool", "--create-keyring", At("keyring"), "--gen-key", "-n", "mon.", "--cap", "mon", "allow *");
        await RunAsync("monmaptool", "--create", "--fsid", Id, "--addv", "a", $"[v2:127.0.0.1:{ports[0]},v1:127.0.0.1:{ports[1]}]", At("monmap"));
        await RunAsync("ceph-mon", "-c", Configuration, "--mkfs", "-i", "a", "--monmap", At("monmap"), "--keyring", At("keyring"));
        Start("ceph-mon", "-c", Configuration, "-i", "a", "-f");
        await RunAsync("ceph", "-c", Configuration, "--connect-timeout", "60", "mon", "enable-msgr2");
        Start("ceph-mgr", "-c", Configuration, "-i", "x", "-f");
        string disk = Guid.NewGuid().ToString();
        await RunAsync("ceph", "-c", Configuration, "osd", "new", disk);
        await RunAsync("ceph-osd", "-c", Configuration, "-i", "0", "--mkfs", "--osd-uuid", disk);
        Start("ceph-osd", "-c", Configuration, "-i", "0", "-f");
        await RunAsync("ceph", "-c", Configuration, "osd", "crush", "add", "osd.0", "1.0", "host=local", "root=default");
        Start("radosgw", "-c", Configuration, "-n", "client.rgw", "-f");
        await RunAsync("radosgw-admin", "-c", Configuration, "user", "create", "--uid=drive", "--display-name=drive", $"--access-key={AccessKey}", $"--secret-key={SecretKey}");
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", AccessKey);
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", SecretKey);
        await AwaitAnswerAsync(Endpoint);
        _client = new AmazonS3Client(AccessKey, SecretKey, new AmazonS3Config { ServiceURL = Endpoint.OriginalString, ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
    }

    Task IAsyncLifetime.DisposeAsync()
    {
        _client?.Dispose();
        return DisposeAsync().AsTask();
    }

    /// <summary>The URL of a new, empty bucket.</summary>
    public async Task<string> NewBucketAsync()
    {
        string bucket = $"drive-{Interlocked.Increment(ref _buckets)}";
        await _client!.PutBucketAsync(new PutBucketRequest { BucketName = bucket });
        return $"s3://{bucket}?endpoint={Endpoint.OriginalString}";
    }

    private string Configuration => At("ceph.conf");

    private async Task WriteConfigurationAsync(int[] ports)
    {
        foreach (string folder in new[] { "mon", "mgr", "osd", "run", "log", "rgw" })
        {
            Directory.CreateDirectory(At(folder));
        }

        // A single disk without copies, in memory: what is tested is how the gateway answers. "crc secure": the gateway insists on encryption where the others have no keys.
        await File.WriteAllTextAsync(Configuration, $"""
            [global]
            fsid = {Id}
            mon host = [v2:127.0.0.1:{ports[0]}/0,v1:127.0.0.1:{ports[1]}/0]
            public network = 127.0.0.0/8
            cluster network = 127.0.0.0/8
            auth cluster required = none
            auth service required = none
            auth client required = none
            ms bind ipv6 = false
            ms mon client mode = crc secure
            keyring = {At("keyring")}
            mon data = {At("mon")}
            mgr data = {At("mgr")}
            mgr initial modules =
            osd data = {At("osd")}
            rgw data = {At("rgw")}
            run dir = {At("run")}
            admin socket = {At("run")}/$name.asok
            pid file = {At("run")}/$name.pid
            log file = {At("log")}/$name.log
            osd objectstore = memstore
            memstore device bytes = 2147483648
            osd memory target = 939524096
            osd pool default size = 1
            osd pool default min size = 1
            osd pool default pg num = 8
            osd crush chooseleaf type = 0
            mon allow pool size one = true
            mon warn on pool no redundancy = false
            rgw frontends = beast endpoint=127.0.0.1:{ports[2]}
            rgw thread pool size = 64

            """);
    }
}

/// <summary>A test that needs the gateway; without its programs it says so.</summary>
public sealed class CephFactAttribute : FactAttribute
{
    public CephFactAttribute() => Skip = CephGateway.Missing;
}

/// <summary>As <see cref="CephFactAttribute"/>, with rows.</summary>
public sealed class CephTheoryAttribute : TheoryAttribute
{
    public CephTheoryAttribute() => Skip = CephGateway.Missing;
}
