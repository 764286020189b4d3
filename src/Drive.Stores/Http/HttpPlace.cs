using System.Net;
using Drive.Core.Platform;
using Drive.Core.Stores;

namespace Drive.Stores.Http;

/// <summary>A vault on a server of Drive's own: <c>drive+https://host:port/vault?pin=SHA256</c>, or <c>drive+http://</c> on this machine.</summary>
/// <param name="Server">Scheme, host and port; the scheme is http or https.</param>
/// <param name="Vault">The vault's name there.</param>
/// <param name="Pin">The SHA-256 of the server's certificate in lower-case hex, which then is all that is asked of it; null to ask the machine's authorities.</param>
public sealed record HttpPlace(Uri Server, string Vault, string? Pin) : StorePlace
{
    /// <summary>The environment variable that has the token.</summary>
    public const string TokenVariable = "DRIVE_SERVER_TOKEN";

    internal const string Scheme = "drive+https";
    internal const string PlainScheme = "drive+http";
    private const string Before = "drive+";
    private const string PinOption = "pin=";
    private const string Usage = "write drive+https://host:port/vault, and behind it ?pin=SHA256 of a certificate that the server made itself";

    /// <inheritdoc/>
    public override StoreDescription Description => new(ToString(), IsLocal: false);

    /// <inheritdoc/>
    public override IObjectStore Open(bool create, IDisk disk, TimeProvider time, IRandomSource random) =>
        Open(Environment.GetEnvironmentVariable(TokenVariable), create, time, random);

    /// <inheritdoc/>
    public override LoginForm? Login => new((this with { Pin = null }).ToString(), null, "Token");

    /// <inheritdoc/>
    public override IObjectStore Open(StoreLogin? login, bool create, IDisk disk, TimeProvider time, IRandomSource random) =>
        Open(Environment.GetEnvironmentVariable(TokenVariable) is { Length: > 0 } token ? token : login?.Secret, create, time, random);

    /// <summary>The store, with a token from elsewhere.</summary>
    public IObjectStore Open(string? token, bool create, TimeProvider time, IRandomSource random) => HttpStore.Open(this, token, create, time, random);

    /// <inheritdoc/>
    public override string ToString() => $"{Before}{Server.GetLeftPart(UriPartial.Authority)}/{Vault}{(Pin is null ? "" : "?" + PinOption + Pin)}";

    /// <summary>From the whole URL. <see cref="ArgumentException"/> with one line when it makes no sense.</summary>
    internal static new HttpPlace Parse(string text)
    {
        int question = text.IndexOf('?', StringComparison.Ordinal);
        string url = question < 0 ? text : text[..question];
        if (!Uri.TryCreate(url[Before.Length..], UriKind.Absolute, out Uri? uri) || uri.Host.Length == 0 || uri.UserInfo.Length > 0 || uri.Fragment.Length > 0)
        {
            // Not repeated: somebody may have written a password into it.
            throw new ArgumentException($"That is no address of a server: {Usage}. The token comes from {TokenVariable}.");
        }

        string vault = uri.AbsolutePath.Trim('/');
        if (!ServerWire.IsName(vault))
        {
            throw new ArgumentException($"'{vault}' cannot be a vault on a server (1 to {ServerWire.NameMax} of a-z 0-9 - .): {Usage}.");
        }

        if (uri.Scheme == Uri.UriSchemeHttp && !IsThisMachine(uri))
        {
            throw new ArgumentException($"{PlainScheme} would send the token in the clear: it is for this machine only (127.0.0.1, ::1, localhost); use {Scheme}.");
        }

        return new HttpPlace(new Uri(uri.GetLeftPart(UriPartial.Authority)), vault, question < 0 ? null : ParsePin(text[(question + 1)..], uri.Scheme));
    }

    private static string ParsePin(string query, string scheme)
    {
        string pin = query.StartsWith(PinOption, StringComparison.Ordinal) ? query[PinOption.Length..].Replace(":", "", StringComparison.Ordinal).ToLowerInvariant() : "";
        return pin.Length == 64 && pin.All(char.IsAsciiHexDigitLower) && scheme == Uri.UriSchemeHttps
            ? pin
            : throw new ArgumentException($"'{query}' says nothing about a server: a pin is 64 hex digits, and only https has one; {Usage}.");
    }

    private static bool IsThisMachine(Uri uri) => uri.IsLoopback || (IPAddress.TryParse(uri.Host, out IPAddress? address) && IPAddress.IsLoopback(address));
}
