using Drive.Core.Stores;
using Drive.Service.Keys;
using Drive.Service.Settings;
using Drive.Service.Setup;
using Drive.Stores;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Stores;

namespace Drive.Service.Tests;

/// <summary>Logins: where they are kept, and a store that takes a new one up by itself.</summary>
public sealed class SignedInStoreTests
{
    private static readonly ObjectName Name = new("packs/a");
    private readonly ManualTime _time = new();
    private readonly MemoryStore _objects = new();
    private readonly List<StoreLogin?> _opened = [];
    private StoreLogin? _kept = new("ann", "old");
    private string _right = "old";
    private int _lookUps;

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_store_that_refuses_is_opened_anew_with_another_login_and_the_call_is_made_again()
    {
        SignedInStore store = Open();
        Assert.True(await store.PutIfAbsentAsync(Name, new byte[] { 1 }, None));
        _right = "new";
        await RefusedAsync(store);
        _time.Advance(TimeSpan.FromSeconds(2));
        await RefusedAsync(store);
        Assert.Single(_opened);

        _kept = new StoreLogin("ann", "new");
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([1], await store.GetAsync(Name, 10, None));
        Assert.True(await store.PutIfAbsentAsync(new ObjectName("packs/b"), new byte[] { 2 }, None));
        Assert.Equal([new StoreLogin("ann", "old"), new StoreLogin("ann", "new")], _opened);
    }

    [Fact]
    public async Task Refusals_in_crowds_cost_one_look_up_a_second()
    {
        SignedInStore store = Open();
        await store.GetLengthAsync(Name, None);
        _right = "new";
        _time.Advance(TimeSpan.FromSeconds(2));
        for (int call = 0; call < 100; call++)
        {
            await RefusedAsync(store);
        }

        Assert.Equal(2, _lookUps);
    }

    [Fact]
    public async Task Without_a_login_that_opens_it_each_call_looks_again()
    {
        SignedInStore store = new(
            StorePlace.Parse("davs://ann@host/x"),
            login => login is null ? throw new StoreException(StoreErrorKind.Denied, isTransient: false, "none") : _objects,
            _ => Task.FromResult(_kept),
            _time);
        _kept = null;
        await RefusedAsync(store);
        _kept = new StoreLogin("ann", "any");
        Assert.Null(await store.GetLengthAsync(Name, None));
    }

    [Fact]
    public async Task Other_failures_and_a_network_that_is_away_look_up_nothing()
    {
        FaultyStore faulty = new(_objects) { IsUnreachable = true };
        SignedInStore store = new(StorePlace.Parse("davs://ann@host/x"), _ => faulty, Find, _time);
        for (int call = 0; call < 3; call++)
        {
            _time.Advance(TimeSpan.FromSeconds(2));
            Assert.Equal(StoreErrorKind.Unreachable, (await Assert.ThrowsAsync<StoreException>(() => store.GetLengthAsync(Name, None))).Kind);
        }

        Assert.Equal(1, _lookUps);
    }

    [Fact]
    public async Task A_login_is_kept_in_a_file_of_its_store_that_nobody_else_may_read()
    {
        using TemporaryHome home = new();
        KeyStorage keys = new(home.Paths, home.Disk, TimeProvider.System, static _ => null);
        LoginForm form = StorePlace.Parse("davs://host/x").Login!;
        LoginForm other = StorePlace.Parse("s3://bucket/x").Login!;
        Assert.Null(await keys.Logins.FindAsync(form, None));
        Assert.Equal(KeyPlace.File, await keys.Logins.SaveAsync(form, new StoreLogin("ann", "a secret"), None));
        await keys.Logins.SaveAsync(other, new StoreLogin(null, "token"), None);
        Assert.Equal(new StoreLogin("ann", "a secret"), await keys.Logins.FindAsync(form, None));
        Assert.Equal(new StoreLogin(null, "token"), await keys.Logins.FindAsync(other, None));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(keys.Logins.FileOf(form)));
        Assert.DoesNotContain("secret", new StoreLogin("ann", "a secret").ToString(), StringComparison.Ordinal);
        Assert.True(await keys.Logins.RemoveAsync(form, None));
        Assert.False(await keys.Logins.RemoveAsync(form, None));
        Assert.Null(await keys.Logins.FindAsync(form, None));
    }

    [Theory]
    [InlineData("davs://ann@host/x", "davs://ann@host/x?slot=folder", true)]
    [InlineData("davs://ann@host/x", "davs://bob@host/x", false)]
    [InlineData("s3://bucket/x?region=a", "s3://bucket/x", true)]
    [InlineData("s3://bucket/x", "s3://bucket/y", false)]
    public void A_login_is_for_a_place_and_not_for_how_it_is_written(string one, string two, bool isSame) =>
        Assert.Equal(isSame, StorePlace.Parse(one).Login!.Key == StorePlace.Parse(two).Login!.Key);

    private static async Task RefusedAsync(SignedInStore store) =>
        Assert.Equal(StoreErrorKind.Denied, (await Assert.ThrowsAsync<StoreException>(() => store.GetLengthAsync(Name, None))).Kind);

    private Task<StoreLogin?> Find(CancellationToken cancellationToken)
    {
        _lookUps++;
        return Task.FromResult(_kept);
    }

    private SignedInStore Open() => new(
        StorePlace.Parse("davs://ann@host/x"),
        login =>
        {
            _opened.Add(login);
            return new FaultyStore(_objects) { Script = _ => login?.Secret == _right ? null : StoreFault.FailBefore(StoreErrorKind.Denied, isTransient: false) };
        },
        Find,
        _time);
}
