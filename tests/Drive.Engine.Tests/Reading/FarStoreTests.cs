using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Stores.Memory;
using Drive.Testing.Stores;

namespace Drive.Engine.Tests.Reading;

/// <summary>Reading from a store that is far away, on a device that has nothing in its cache: how often it is asked, for how much, and what comes of it.</summary>
public sealed class FarStoreTests : IAsyncLifetime
{
    private const int Film = 40 << 20;
    private const int Call = 128 << 10;
    private static readonly byte[] FilmContent = VolumeFiles.Bytes(1, Film);
    private readonly FaultyStore _store = new(new MemoryStore()) { Description = new StoreDescription("far away", IsLocal: false) };
    private readonly List<StoreCall> _ranges = [];
    private readonly Lock _gate = new();
    private EngineFixture _fixture = null!;
    private Volume _volume = null!;
    private TaskCompletionSource? _held;

    public async Task InitializeAsync()
    {
        _fixture = await EngineFixture.CreateAsync(_store);
        await using (Volume first = await _fixture.OpenAsync())
        {
            first.WriteFile(NodeId.Root, "film", FilmContent);
            first.WriteFile(NodeId.Root, "document", VolumeFiles.Bytes(2, 2 << 20));
            NodeId folder = first.MakeDirectory(NodeId.Root, "small");
            for (int file = 0; file < 1000; file++)
            {
                first.WriteFile(folder, $"{file:d4}", VolumeFiles.Bytes(1000 + file, 4096));
            }

            await first.WaitAsync();
        }

        _volume = await _fixture.RecoverAsync("second");
        _store.Script = call =>
        {
            if (call.Kind != StoreCallKind.GetRange)
            {
                return null;
            }

            lock (_gate)
            {
                _ranges.Add(call);
            }

            return _held is { } held ? new StoreFault { Delay = held.Task } : null;
        };
    }

    public async Task DisposeAsync()
    {
        await _volume.DisposeAsync();
        await _fixture.DisposeAsync();
    }

    [Fact]
    public async Task A_film_is_read_in_few_requests_most_of_them_made_before_the_reader_came_to_it()
    {
        Assert.Equal(FilmContent, await ReadAllAsync("film"));

        // Pieces of 2 MiB, and a few more where a pack ends and the first windows are smaller.
        Assert.InRange(_ranges.Count, Film / (2 << 20), 40);
    }

    [Fact]
    public async Task A_reader_has_several_requests_under_way_at_once_and_no_byte_is_asked_for_twice()
    {
        HandleId handle = Open("film");
        byte[] buffer = new byte[Call];
        for (int offset = 0; offset < 8 << 20; offset += Call)
        {
            Assert.Equal(Call, (await _volume.ReadAsync(handle, offset, buffer, CancellationToken.None)).Count);
        }

        _held = new TaskCompletionSource();
        int before = _ranges.Count;
        Task<IoResult>[] reads = [.. Enumerable.Range(0, 96).Select(index => _volume.ReadAsync(handle, (8 << 20) + (index * Call), new byte[Call], CancellationToken.None).AsTask())];
        int asked = _ranges.Count - before;
        _held.SetResult();
        _held = null;
        Assert.All(await Task.WhenAll(reads), static read => Assert.Equal(Call, read.Count));
        _volume.Close(handle);

        // 96 reads over 12 MiB, and a window beyond them.
        Assert.InRange(asked, 3, 30);
    }

    [Fact]
    public async Task A_read_is_rehearsed_after_the_start_with_one_request_for_one_segment()
    {
        VolumeSettings settings = _fixture.Settings() with { RehearseReads = true };
        Directory.Delete(settings.CacheDirectory, recursive: true);
        TaskCompletionSource asked = new();
        Func<StoreCall, StoreFault?>? script = _store.Script;
        _store.Script = call =>
        {
            StoreFault? fault = script?.Invoke(call);
            if (call.Kind == StoreCallKind.GetRange)
            {
                asked.TrySetResult();
            }

            return fault;
        };
        await using (Volume volume = await _fixture.OpenAsync(settings))
        {
            await asked.Task.WaitAsync(TimeSpan.FromMinutes(1));
        }

        Assert.Single(_ranges);
    }

    [Fact]
    public async Task Readers_of_the_same_bytes_share_one_request()
    {
        _held = new TaskCompletionSource();
        HandleId[] handles = [.. Enumerable.Range(0, 10).Select(_ => Open("film"))];
        Task<IoResult>[] reads = [.. handles.Select(handle => _volume.ReadAsync(handle, 5 << 20, new byte[4096], CancellationToken.None).AsTask())];
        Assert.Single(_ranges);
        _held.SetResult();
        Assert.All(await Task.WhenAll(reads), static read => Assert.Equal(4096, read.Count));
        Assert.Single(_ranges);
    }

    [Fact]
    public async Task Random_reads_fetch_the_segments_that_they_touch()
    {
        HandleId handle = Open("film");
        for (int read = 0; read < 50; read++)
        {
            int offset = (read * 17 % 50 * (Film / 50)) + 777;
            byte[] buffer = new byte[64 << 10];
            Assert.Equal(buffer.Length, (await _volume.ReadAsync(handle, offset, buffer, CancellationToken.None)).Count);
            Assert.True(buffer.AsSpan().SequenceEqual(FilmContent.AsSpan(offset, buffer.Length)));
            Assert.True(_ranges.Count <= read + 1, $"{_ranges.Count} requests for {read + 1} reads");
        }

        Assert.InRange(_volume.GetStatus().CacheUsedBytes, 50 * 64 << 10, 50 * 160 << 10);
    }

    [Fact]
    public async Task A_document_takes_one_round_trip()
    {
        _held = new TaskCompletionSource();
        Task<byte[]> reading = ReadAllAsync("document");
        int first = _ranges.Count;
        _held.SetResult();
        Assert.Equal(VolumeFiles.Bytes(2, 2 << 20), await reading);
        Assert.Equal(first, _ranges.Count);
    }

    [Fact]
    public async Task A_thousand_small_files_take_a_handful_of_requests()
    {
        NodeId folder = _volume.Find(NodeId.Root, "small");
        for (int file = 0; file < 1000; file++)
        {
            Assert.Equal(VolumeFiles.Bytes(1000 + file, 4096), await _volume.ReadFileAsync(_volume.Find(folder, $"{file:d4}")));
        }

        Assert.InRange(_ranges.Count, 1, 20);
    }

    [Fact]
    public async Task A_fetch_ahead_that_fails_hurts_nobody_and_is_made_again_by_who_needs_it()
    {
        HandleId handle = Open("film");
        int failed = 0;
        Func<StoreCall, StoreFault?> script = _store.Script;
        _store.Script = call => call.Kind == StoreCallKind.GetRange && ++failed % 3 != 0 ? StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true) : script(call);
        byte[] buffer = new byte[Call];
        int refused = 0;
        for (int offset = 0; offset < Film;)
        {
            IoResult read = await _volume.ReadAsync(handle, offset, buffer, CancellationToken.None);
            if (read.Status == FsStatus.Unreachable)
            {
                refused++;
                Assert.True(refused < 10_000, "it goes on");
                continue;
            }

            Assert.Equal(FsStatus.Ok, read.Status);
            Assert.True(buffer.AsSpan(0, (int)read.Count).SequenceEqual(FilmContent.AsSpan(offset, (int)read.Count)), $"at {offset}");
            offset += (int)read.Count;
        }

        Assert.True(refused > 0);
    }

    [Fact]
    public async Task An_interrupt_ends_the_wait_and_what_was_asked_for_comes_all_the_same()
    {
        _held = new TaskCompletionSource();
        HandleId handle = Open("film");
        using CancellationTokenSource interrupt = new();
        Task<IoResult> read = _volume.ReadAsync(handle, 0, new byte[4096], interrupt.Token).AsTask();
        Assert.False(read.IsCompleted);
        await interrupt.CancelAsync();
        Assert.Equal(FsStatus.Interrupted, (await read).Status);

        // Another handle: for the first one it would be a second read in a row.
        Task<IoResult> again = _volume.ReadAsync(Open("film"), 0, new byte[4096], CancellationToken.None).AsTask();
        _held.SetResult();
        Assert.Equal(4096, (await again).Count);
        Assert.Single(_ranges);
    }

    [Fact]
    public async Task A_volume_closes_while_requests_hang()
    {
        _held = new TaskCompletionSource();
        HandleId handle = Open("document");
        Task<IoResult> read = _volume.ReadAsync(handle, 0, new byte[4096], CancellationToken.None).AsTask();
        Assert.False(read.IsCompleted);
        await _volume.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(FsStatus.Interrupted, (await read).Status);
    }

    [Fact]
    public async Task Bytes_that_the_cache_lost_or_spoilt_are_fetched_again()
    {
        byte[] content = VolumeFiles.Bytes(2, 2 << 20);
        Assert.Equal(content, await ReadAllAsync("document"));
        foreach (string pack in Directory.EnumerateFiles(Path.Combine(_fixture.Settings("second").CacheDirectory, "packs"), "*", SearchOption.AllDirectories).Where(static path => !path.EndsWith(".map", StringComparison.Ordinal)))
        {
            byte[] bytes = await File.ReadAllBytesAsync(pack);
            Array.Fill(bytes, (byte)0x55);
            await File.WriteAllBytesAsync(pack, bytes);
        }

        Assert.Equal(content, await ReadAllAsync("document"));
    }

    private HandleId Open(string name)
    {
        Assert.Equal(FsStatus.Ok, _volume.Open(_volume.Find(NodeId.Root, name), OpenOptions.Read, out HandleId handle));
        return handle;
    }

    private async Task<byte[]> ReadAllAsync(string name) => await _volume.ReadFileAsync(_volume.Find(NodeId.Root, name));
}
