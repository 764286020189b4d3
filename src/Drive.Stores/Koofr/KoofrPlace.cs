using System.Text;
using Drive.Core.Platform;
using Drive.Core.Stores;

namespace Drive.Stores.Koofr;

/// <summary>
/// A folder of a Koofr account: <c>koofr://user@app.koofr.net/path</c>, in another mount than the primary one with <c>?mount=NAME</c>.
/// <c>koofr+http://</c> is for a server on this machine.
/// </summary>
/// <param name="Server">Scheme, host and port; the scheme is http or https.</param>
/// <param name="User">Who signs in, an address of mail; null for what the environment says.</param>
/// <param name="Path">The folder in the mount: starts with a slash, has at least one name and no slash at the end.</param>
/// <param name="Mount">The mount's id or name; null for the primary one.</param>
public sealed record KoofrPlace(Uri Server, string? User, string Path, string? Mount) : StorePlace
{
    /// <summary>The environment variable that has the app password.</summary>
    public const string PasswordVariable = "DRIVE_KOOFR_PASSWORD";

    /// <summary>The environment variable that says who signs in; the URL goes before it.</summary>
    public const string UserVariable = "DRIVE_KOOFR_USER";

    internal const string Scheme = "koofr";
    internal const string PlainScheme = "koofr+http";
    private const string MountOption = "mount=";
    private const string Usage = "write koofr://user@app.koofr.net/path, and behind it, if needed, ?mount=NAME";

    /// <inheritdoc/>
    public override StoreDescription Description => new(ToString(), IsLocal: false);

    /// <inheritdoc/>
    public override LoginForm? Login => new(ToString(), User is null ? "User (an address of mail)" : null, User is null ? "App password" : $"App password of '{User}'");

    /// <inheritdoc/>
    public override IObjectStore Open(bool create, IDisk disk, TimeProvider time, IRandomSource random) => Open(null, create, disk, time, random);

    /// <summary>The environment goes before what is kept.</summary>
    public override IObjectStore Open(StoreLogin? login, bool create, IDisk disk, TimeProvider time, IRandomSource random) => Open(
        User ?? Environment.GetEnvironmentVariable(UserVariable) ?? login?.User,
        Environment.GetEnvironmentVariable(PasswordVariable) ?? login?.Secret,
        create,
        time,
        random);

    /// <summary>The store, signed in to with what came from elsewhere.</summary>
    public IObjectStore Open(string? user, string? password, bool create, TimeProvider time, IRandomSource random) =>
        new KoofrStore(this, create, new KoofrClient(this, user, password, time, random), time, random);

    /// <summary>The same account and folder: names there do not know case.</summary>
    public override bool IsSameAs(StorePlace other) =>
        other is KoofrPlace place && ToString().Equals(place.ToString(), StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override string ToString()
    {
        string user = User is null ? "" : Uri.EscapeDataString(User) + "@";
        string path = string.Join('/', Path.Split('/').Select(Uri.EscapeDataString));
        string mount = Mount is null ? "" : "?" + MountOption + Uri.EscapeDataString(Mount);
        return $"{(Server.Scheme == Uri.UriSchemeHttps ? Scheme : PlainScheme)}://{user}{Server.Authority}{path}{mount}";
    }

    /// <summary>From a scheme and what follows "://". <see cref="ArgumentException"/> with one line when it makes no sense.</summary>
    internal static KoofrPlace Parse(string scheme, string rest)
    {
        int question = rest.IndexOf('?', StringComparison.Ordinal);
        string place = question < 0 ? rest : rest[..question];
        int slash = place.IndexOf('/', StringComparison.Ordinal);
        string authority = slash < 0 ? place : place[..slash];

        // The last one: who signs in is an address of mail, and has one of its own.
        int at = authority.LastIndexOf('@');
        if (at >= 0 && authority.AsSpan(0, at).Contains(':'))
        {
            throw new ArgumentException($"A password does not belong into a URL: set {PasswordVariable}, and {Usage}.");
        }

        string http = scheme == Scheme ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        if (at == 0 || !Uri.TryCreate($"{http}://{authority[(at + 1)..]}", UriKind.Absolute, out Uri? server) || server.Host.Length == 0 || server.AbsolutePath != "/"
            || server.Fragment.Length > 0)
        {
            throw new ArgumentException($"'{authority}' is no server: {Usage}.");
        }

        if (scheme == PlainScheme && !server.IsLoopback)
        {
            throw new ArgumentException($"{PlainScheme} would send the password in the clear: it is for this machine only (127.0.0.1, ::1, localhost); use {Scheme}.");
        }

        return new KoofrPlace(
            server,
            at < 0 ? null : Uri.UnescapeDataString(authority[..at]),
            ParsePath(slash < 0 ? "" : place[slash..]),
            question < 0 ? null : ParseMount(rest[(question + 1)..]));
    }

    private static string ParsePath(string escaped)
    {
        StringBuilder path = new();
        foreach (string part in escaped.Trim('/').Split('/'))
        {
            string name = Uri.UnescapeDataString(part);
            if (name is "" or "." or ".." || name.Any(static letter => letter is '/' or '\\' or '\x7f' || char.IsControl(letter)))
            {
                throw new ArgumentException($"'{escaped}' is no folder of a Koofr account: {Usage}.");
            }

            path.Append('/').Append(name);
        }

        return path.ToString();
    }

    private static string ParseMount(string query) =>
        query.Length > MountOption.Length && query.StartsWith(MountOption, StringComparison.Ordinal) && !query.Contains('&', StringComparison.Ordinal)
            ? Uri.UnescapeDataString(query[MountOption.Length..])
            : throw new ArgumentException($"'{query}' says nothing about a Koofr store: {Usage}.");
}
