using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Drive.Core.Stores;

namespace Drive.Server.Tests;

/// <summary>Requests as no client of ours sends them, byte by byte: each is refused with its status, and nothing comes of it.</summary>
public sealed class HostileRequestTests(RunningServer server) : IClassFixture<RunningServer>
{
    private static readonly ObjectName Name = new("packs/ab/one");

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData("/v1/vault/../x")]
    [InlineData("/v1/vault/packs/../../x")]
    [InlineData("/v1/vault/%2e%2e/x")]
    [InlineData("/v1/vault/packs%2fx")]
    [InlineData("/v1/vault/packs%5cx")]
    [InlineData("/v1/vault/packs\\x")]
    [InlineData("/v1/vault/x%00")]
    [InlineData("/v1/vault/.store")]
    [InlineData("/v1/vault/.sums")]
    [InlineData("/v1/vault/packs/.x")]
    [InlineData("/v1/vault/Packs")]
    [InlineData("/v1/vault/a//b")]
    [InlineData("/v1/vault//a")]
    [InlineData("/v1/vault/a/")]
    [InlineData("/v1/vault/")]
    [InlineData("/v1/vault/x?y=1")]
    [InlineData("/v1/vault/x%41")]
    [InlineData("/v1/../accounts.json")]
    [InlineData("/v1/.hidden/x")]
    [InlineData("/v1/%76ault/x")]
    [InlineData("/v1//vault/x")]
    [InlineData("/v1/")]
    [InlineData("/v1")]
    [InlineData("/")]
    [InlineData("/v2/vault/x")]
    [InlineData("/V1/vault/x")]
    [InlineData("/v1/vault?list=..%2f")]
    [InlineData("/v1/vault?list=.")]
    [InlineData("/v1/vault?list=A")]
    [InlineData("/v1/vault?list=&after=../x")]
    [InlineData("/v1/vault?list=&list=a")]
    [InlineData("/v1/vault?watch=%00")]
    [InlineData("/v1/vault?space=1")]
    [InlineData("/v1/vault?space&watch=")]
    [InlineData("/v1/vault?other")]
    [InlineData("/v1/vault?after=x")]
    public async Task A_name_that_is_none_is_refused_in_every_method(string target)
    {
        await using IObjectStore store = server.Open("vault");
        await store.GetLengthAsync(Name, None);
        string[] before = Files();
        foreach (string method in new[] { "GET", "HEAD", "DELETE", "PUT" })
        {
            string answer = await SendAsync($"{method} {target} HTTP/1.1\r\n{Credentials}If-None-Match: *\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx");
            Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        }

        Assert.Equal(before, Files());
    }

    [Fact]
    public async Task A_name_is_long_as_allowed_and_not_longer()
    {
        await using IObjectStore store = server.Open("vault");
        await store.GetLengthAsync(Name, None);
        Assert.StartsWith("HTTP/1.1 404", await GetAsync("/v1/vault/" + new string('a', 100)), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400", await GetAsync("/v1/vault/" + new string('a', 101)), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 404", await GetAsync("/v1/" + new string('v', 64) + "/a"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400", await GetAsync("/v1/" + new string('v', 65) + "/a"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 414", await GetAsync("/v1/vault/" + new string('a', 20_000)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bytes=0-9", 206, 0, 10)]
    [InlineData("bytes=90-200", 206, 90, 10)]
    [InlineData("bytes=90-", 206, 90, 10)]
    [InlineData("bytes=-10", 206, 90, 10)]
    [InlineData("bytes=-1000", 206, 0, 100)]
    [InlineData("bytes=0-9223372036854775807", 206, 0, 100)]
    [InlineData("bytes=99-99", 206, 99, 1)]
    [InlineData("bytes=100-", 416, 0, 0)]
    [InlineData("bytes=-0", 416, 0, 0)]
    [InlineData("bytes=9223372036854775806-9223372036854775807", 416, 0, 0)]
    [InlineData("bytes=99999999999999999999999-", 400, 0, 0)]
    [InlineData("bytes=0-99999999999999999999999", 400, 0, 0)]
    [InlineData("bytes=9-0", 400, 0, 0)]
    [InlineData("bytes=-", 400, 0, 0)]
    [InlineData("bytes=--5", 400, 0, 0)]
    [InlineData("bytes=-5-", 400, 0, 0)]
    [InlineData("bytes=a-b", 400, 0, 0)]
    [InlineData("bytes=0-1,3-4", 400, 0, 0)]
    [InlineData("bytes 0-1", 400, 0, 0)]
    [InlineData("lines=0-1", 400, 0, 0)]
    [InlineData("", 200, 0, 100)]
    public async Task A_range_gives_what_the_object_has_of_it_or_a_refusal(string range, int status, int offset, int count)
    {
        byte[] content = Enumerable.Range(0, 100).Select(static value => (byte)('A' + (value % 26))).ToArray();
        await using IObjectStore store = server.Open("ranges");
        await store.PutIfAbsentAsync(Name, content, None);
        string answer = await GetAsync("/v1/ranges/packs/ab/one", range.Length == 0 ? "" : $"Range: {range}\r\n");
        Assert.StartsWith($"HTTP/1.1 {status}", answer, StringComparison.Ordinal);
        string body = answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        if (status is 200 or 206)
        {
            Assert.Equal(Encoding.ASCII.GetString(content, offset, count), body);
        }

        Assert.Equal(status == 206, answer.Contains($"\r\nContent-Range: bytes {offset}-{offset + count - 1}/100\r\n", StringComparison.Ordinal));
        Assert.Equal(status == 416, answer.Contains("\r\nContent-Range: bytes */100\r\n", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Content-Length: 5\r\n", 428)]
    [InlineData("If-None-Match: \"x\"\r\nContent-Length: 5\r\n", 428)]
    [InlineData("If-None-Match: *\r\nTransfer-Encoding: chunked\r\n", 411)]
    [InlineData("If-None-Match: *\r\n", 411)]
    [InlineData("If-None-Match: *\r\nContent-Length: 67108865\r\n", 413)]
    [InlineData("If-None-Match: *\r\nContent-Length: 99999999999\r\n", 413)]
    [InlineData("If-None-Match: *\r\nContent-Length: -5\r\n", 400)]
    [InlineData("If-None-Match: *\r\nContent-Length: 99999999999999999999\r\n", 400)]
    [InlineData("If-None-Match: *\r\nContent-Length: 5\r\nContent-Length: 6\r\n", 400)]
    public async Task A_put_without_its_condition_or_length_is_refused_and_makes_nothing(string headers, int status)
    {
        await using IObjectStore store = server.Open("puts");
        Assert.Null(await store.GetLengthAsync(Name, None));
        string answer = await SendAsync($"PUT /v1/puts/{Name} HTTP/1.1\r\n{Credentials}{headers}Connection: close\r\n\r\nhello");
        Assert.StartsWith($"HTTP/1.1 {status}", answer, StringComparison.Ordinal);
        Assert.Null(await store.GetLengthAsync(Name, None));
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PATCH")]
    [InlineData("TRACE")]
    [InlineData("BREW")]
    public async Task Another_method_is_refused(string method)
    {
        await using IObjectStore store = server.Open("vault");
        await store.GetLengthAsync(Name, None);
        Assert.StartsWith("HTTP/1.1 405", await SendAsync($"{method} /v1/vault/x HTTP/1.1\r\n{Credentials}Connection: close\r\nContent-Length: 0\r\n\r\n"), StringComparison.Ordinal);
        Assert.DoesNotContain(server.Log, line => line.Contains("BREW", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_body_that_is_cut_leaves_nothing_and_its_room_is_given_back()
    {
        const long Quota = 2L << 30;
        server.Accounts.AddUser("cutter", Quota);
        string token = server.NewToken("cutter");
        await using IObjectStore store = server.Open("cut", token);
        Assert.Equal(new StoreSpace(Quota, Quota), await store.GetSpaceAsync(None));
        for (int round = 0; round < 20; round++)
        {
            using TcpClient tcp = new();
            await using SslStream connection = await ConnectAsync(tcp);
            await connection.WriteAsync(Encoding.ASCII.GetBytes($"PUT /v1/cut/{Name} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nIf-None-Match: *\r\nContent-Length: 60000000\r\n\r\n"));
            await connection.WriteAsync(new byte[100_000 * round]);
            if (round % 2 == 0)
            {
                tcp.Client.LingerState = new LingerOption(enable: true, seconds: 0);
            }
        }

        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while ((await store.GetSpaceAsync(limit.Token))!.Value.FreeBytes != Quota)
        {
            // Puts under way are counted.
        }

        Assert.Null(await store.GetLengthAsync(Name, None));
        Assert.Contains(server.Log, static line => line.Contains(" PUT cut packs ", StringComparison.Ordinal));
        using HttpClient http = server.Http();
        Assert.DoesNotContain("status=\"50", await http.GetStringAsync("/metrics"), StringComparison.Ordinal);
        Assert.True(await store.PutIfAbsentAsync(Name, new byte[10], None));
        string temporaries = Path.Combine(server.Root, "vaults", "cutter", "cut", ".tmp");
        Assert.DoesNotContain(Directory.EnumerateFiles(temporaries, "*", SearchOption.AllDirectories), static path => !path.EndsWith(".lock", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_name_below_another_objects_name_is_refused_for_good()
    {
        await using IObjectStore store = server.Open("below");
        Assert.True(await store.PutIfAbsentAsync(new ObjectName("a"), new byte[1], None));
        StoreException refusal = await Assert.ThrowsAsync<StoreException>(() => store.PutIfAbsentAsync(new ObjectName("a/b"), new byte[1], None));
        Assert.False(refusal.IsTransient);
    }

    private string Credentials => $"Host: {server.Address.Authority}\r\nAuthorization: Bearer {server.Token}\r\n";

    private Task<string> GetAsync(string target, string headers = "") => SendAsync($"GET {target} HTTP/1.1\r\n{Credentials}{headers}Connection: close\r\n\r\n");

    private string[] Files() => [.. Directory.EnumerateFileSystemEntries(server.Root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    private async Task<string> SendAsync(string request)
    {
        using TcpClient tcp = new();
        await using SslStream connection = await ConnectAsync(tcp);
        await connection.WriteAsync(Encoding.ASCII.GetBytes(request));
        using StreamReader reader = new(connection, Encoding.ASCII);
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
        return await reader.ReadToEndAsync(limit.Token);
    }

    private async Task<SslStream> ConnectAsync(TcpClient tcp)
    {
        await tcp.ConnectAsync(IPAddress.Loopback, server.Address.Port);
        SslStream stream = new(tcp.GetStream(), leaveInnerStreamOpen: false, server.IsItsOwn);
        await stream.AuthenticateAsClientAsync(server.Address.Host.ToString(CultureInfo.InvariantCulture));
        return stream;
    }
}
