using System.Net;
using Drive.Core.Stores;

namespace Drive.Stores.WebDav;

/// <summary>Who signs in, and with what. From the environment, so that neither a URL nor the settings hold a secret.</summary>
/// <param name="User">For Basic and Digest; null for nobody.</param>
/// <param name="Password">Its password.</param>
/// <param name="Token">A bearer token, which goes before a user.</param>
internal sealed record DavCredentials(string? User, string? Password, string? Token)
{
    public const string UserVariable = "DRIVE_DAV_USER";
    public const string PasswordVariable = "DRIVE_DAV_PASSWORD";
    public const string TokenVariable = "DRIVE_DAV_TOKEN";

    /// <summary>What the environment says, or else the login that is kept; the place's own user goes before both.</summary>
    public static DavCredentials FromEnvironment(DavPlace place, StoreLogin? login)
    {
        (string? password, string? token) = (Read(PasswordVariable), Read(TokenVariable));
        return login is null || password is not null || token is not null ? new DavCredentials(place.User ?? Read(UserVariable), password, token)
            : (place.User ?? login.User) is { } user ? new DavCredentials(user, login.Secret, null)
            : new DavCredentials(null, null, login.Secret);
    }

    /// <summary>
    /// For the place, checked: a secret is never sent in the clear, so without TLS only Digest signs in, but on this machine itself.
    /// <see cref="StoreException"/> when a part is missing or would be sent so.
    /// </summary>
    public ICredentials? For(DavPlace place)
    {
        bool isPrivate = place.Root.Scheme == Uri.UriSchemeHttps || place.Root.IsLoopback;
        if (Token is not null)
        {
            return isPrivate ? null : throw Refusal($"{TokenVariable} would be sent to {place} without encryption: write davs://.");
        }

        if (User is null)
        {
            return null;
        }

        NetworkCredential credential = new(User, Password ?? throw Refusal($"There is no password of '{User}' for {place}: run 'drive store login {place}', or set {PasswordVariable}."));
        CredentialCache known = new() { { place.Root, "Digest", credential } };
        if (isPrivate)
        {
            known.Add(place.Root, "Basic", credential);
        }

        return known;
    }

    private static string? Read(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;

    private static StoreException Refusal(string message) => new(StoreErrorKind.Denied, isTransient: false, message);
}
