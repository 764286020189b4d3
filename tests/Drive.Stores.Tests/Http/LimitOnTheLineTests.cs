using System.Collections.Concurrent;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Disk;
using Drive.Stores.Http;
using Drive.Stores.Koofr;
using Drive.Stores.S3;
using Drive.Stores.Tests.WebDav;
using Drive.Stores.Tests.Wrappers;
using Drive.Stores.Wrappers;
using Drive.Testing;
using Drive.Testing.Koofr;
using Drive.Testing.Stores;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Drive.Stores.Tests.Http;

/// <summary>
/// Each kind of store by HTTP holds its bytes back where they go over the line: by a clock that jumps over waits, so that it tells what was waited for, on real connections.
/// (The one to a server of Drive's own has the same connections, and its tests are with the server.)
/// </summary>
public sealed class LimitOnTheLineTests(DavServers servers) : IClassFixture<DavServers>
{
    private const int Bytes = 3 << 20;
    private const int Up = 64 << 10;
    private const int Down = 128 << 10;
    private static readonly ObjectName Name = new("packs/ab/one");
    private readonly SkippingTime _time = new(TimeSpan.FromSeconds(1.5));

    private static CancellationToken None => CancellationToken.None;

    [DavFact(DavKind.Lighttpd)]
    public async Task WebDav()
    {
        DavServer server = await servers.GetAsync(DavKind.Lighttpd);
        await KeepsLimitsAsync(StorePlace.Parse(server.NewFolder()).Open(create: true, new LocalDisk(), _time, SystemRandomSource.Instance));
    }

    [Fact]
    public async Task Koofr()
    {
        await using KoofrServer server = await KoofrServer.StartAsync();
        KoofrPlace place = (KoofrPlace)StorePlace.Parse(server.NewFolder());
        await KeepsLimitsAsync(place.Open(place.User, KoofrServer.Password, create: true, _time, new SeededRandom(1)));
    }

    [Fact]
    public async Task S3()
    {
        await using WebApplication server = await StartBucketAsync();
        S3Place place = (S3Place)StorePlace.Parse($"s3://bucket?endpoint={server.Urls.First()}");
        await KeepsLimitsAsync(S3Store.Open(place, new StoreLogin("id", "secret"), _time));
    }

    /// <summary>What nothing waits for is not a limit: bytes that are sent and fetched take the time that they should, and no call gives up meanwhile.</summary>
    private async Task KeepsLimitsAsync(IObjectStore store)
    {
        StoreLimits limits = new(_time);
        await using IObjectStore limited = store.Retried(new RetryOptions { AttemptsMax = 1, Deadline = TimeSpan.FromSeconds(2) }, _time, new SeededRandom(1))
            .Throttled(limits, static (name, _) => name.Value.StartsWith("log/", StringComparison.Ordinal));
        Assert.True(await limited.PutIfAbsentAsync(new ObjectName("packs/ab/first"), new byte[1], None));
        limits.Up = RateSchedule.ParseWritten($"{Up}");
        limits.Down = RateSchedule.ParseWritten($"{Down}");
        byte[] content = new byte[Bytes];
        new Random(1).NextBytes(content);

        TimeSpan began = _time.Elapsed;
        Assert.True(await limited.PutIfAbsentAsync(Name, content, None));
        AssertAbout(Bytes / (double)Up, began);
        began = _time.Elapsed;
        Assert.Equal(content, await limited.GetAsync(Name, Bytes, None));
        AssertAbout(Bytes / (double)Down, began);
        began = _time.Elapsed;
        byte[] part = new byte[Bytes / 2];
        Assert.Equal(part.Length, await limited.GetRangeAsync(Name, Bytes / 4, part, None));
        Assert.Equal(content[(Bytes / 4)..(3 * Bytes / 4)], part);
        AssertAbout(part.Length / (double)Down, began);
    }

    // Besides the object there are headers, and the questions that a store asks; the last piece is owed by the next.
    private void AssertAbout(double seconds, TimeSpan began) => Assert.InRange((_time.Elapsed - began).TotalSeconds, seconds * 0.95, (seconds * 1.05) + 2);

    private static async Task<WebApplication> StartBucketAsync()
    {
        ConcurrentDictionary<string, byte[]> objects = [];
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        WebApplication server = builder.Build();
        server.Run(async context =>
        {
            string key = context.Request.Path.Value!;
            if (HttpMethods.IsPut(context.Request.Method))
            {
                using MemoryStream body = new();
                await context.Request.Body.CopyToAsync(body);
                objects[key] = body.ToArray();
                context.Response.Headers.ETag = "\"1\"";
                return;
            }

            string range = context.Request.Headers.Range.ToString();
            byte[] content = objects[key];
            if (range.Length > 0)
            {
                int[] ends = [.. range["bytes=".Length..].Split('-').Select(static end => int.Parse(end, System.Globalization.CultureInfo.InvariantCulture))];
                context.Response.StatusCode = StatusCodes.Status206PartialContent;
                context.Response.Headers.ContentRange = $"bytes {ends[0]}-{ends[1]}/{content.Length}";
                content = content[ends[0]..(ends[1] + 1)];
            }

            context.Response.ContentLength = content.Length;
            await context.Response.Body.WriteAsync(content);
        });
        await server.StartAsync();
        return server;
    }
}
