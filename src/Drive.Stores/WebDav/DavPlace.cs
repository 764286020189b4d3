using Drive.Core.Platform;
using Drive.Core.Stores;

namespace Drive.Stores.WebDav;

/// <summary>A folder on a WebDAV server: <c>davs://host/path</c> over TLS, <c>dav://host/path</c> without; behind it perhaps <c>?slot=folder</c>.</summary>
/// <param name="Root">The folder as the server knows it: http or https, without a user, its path escaped and with a slash at the end.</param>
/// <param name="User">Who to sign in as; null for what the environment says.</param>
/// <param name="Slot">The step that gives a name to one writer; null for what the store was made with.</param>
public sealed record DavPlace(Uri Root, string? User, DavSlot? Slot) : StorePlace
{
    internal const string Scheme = "dav";
    internal const string SecureScheme = "davs";
    private const string Usage = "write davs://user@host:port/path (dav:// without encryption), and behind it, if needed, ?slot=folder, put or move";

    /// <inheritdoc/>
    public override StoreDescription Description => new(ToString(), IsLocal: false);

    /// <inheritdoc/>
    public override LoginForm? Login => new((this with { Slot = null }).ToString(), User is null ? "User (empty for a bearer token)" : null, User is null ? "Password or token" : $"Password of '{User}'");

    /// <inheritdoc/>
    public override IObjectStore Open(bool create, IDisk disk, TimeProvider time, IRandomSource random) => Open(null, create, disk, time, random);

    /// <inheritdoc/>
    public override IObjectStore Open(StoreLogin? login, bool create, IDisk disk, TimeProvider time, IRandomSource random) =>
        new DavStore(this, create, new DavClient(this, DavCredentials.FromEnvironment(this, login), time), random);

    /// <inheritdoc/>
    public override bool IsSameAs(StorePlace other) => other is DavPlace place && place with { Slot = null } == this with { Slot = null };

    /// <inheritdoc/>
    public override string ToString()
    {
        string scheme = Root.Scheme == Uri.UriSchemeHttps ? SecureScheme : Scheme;
        string user = User is null ? "" : Uri.EscapeDataString(User) + "@";
        string slot = Slot is { } step ? $"?slot={step.ToString().ToLowerInvariant()}" : "";
        return $"{scheme}://{user}{Root.Authority}{Root.AbsolutePath.TrimEnd('/')}{slot}";
    }

    /// <summary>From a scheme and what follows "://". <see cref="ArgumentException"/> with one line when it makes no sense.</summary>
    internal static DavPlace Parse(string scheme, string rest)
    {
        string http = scheme == SecureScheme ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        int question = rest.IndexOf('?', StringComparison.Ordinal);
        string place = question < 0 ? rest : rest[..question];
        int authority = place.IndexOf('/', StringComparison.Ordinal);
        int at = place.AsSpan(0, authority < 0 ? place.Length : authority).LastIndexOf('@');
        if (at >= 0 && place.AsSpan(0, at).Contains(':'))
        {
            throw new ArgumentException($"A password does not belong into a URL: set {DavCredentials.PasswordVariable}, and write {scheme}://user@host/path.");
        }

        if (at == 0 || !Uri.TryCreate($"{http}://{place[(at + 1)..].TrimEnd('/')}/", UriKind.Absolute, out Uri? root)
            || root.Host.Length == 0 || root.Fragment.Length > 0 || root.Query.Length > 0 || root.AbsolutePath.Contains("//", StringComparison.Ordinal))
        {
            throw new ArgumentException($"'{place}' is no folder of a WebDAV server: {Usage}.");
        }

        return new DavPlace(root, at < 0 ? null : Uri.UnescapeDataString(place[..at]), question < 0 ? null : ParseSlot(rest[(question + 1)..]));
    }

    /// <summary>A step from its name, as it stands in a URL and in the marker; null when there is none of that name.</summary>
    internal static DavSlot? SlotOf(string name) => name switch
    {
        "folder" => DavSlot.Folder,
        "put" => DavSlot.Put,
        "move" => DavSlot.Move,
        _ => null,
    };

    private static DavSlot ParseSlot(string query) =>
        query.StartsWith("slot=", StringComparison.Ordinal) && SlotOf(query["slot=".Length..]) is { } slot
            ? slot
            : throw new ArgumentException($"'{query}' says nothing about a WebDAV store, or not once: {Usage}.");
}
