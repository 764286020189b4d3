using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Drive.Core.Stores;
using Drive.Stores.Http;

namespace Drive.Stores.Koofr;

/// <summary>
/// Signs in by the app password, once for all requests, and again when the server no longer knows the token. A refused sign-in is never tried again by this store:
/// the service locks an account out for about an hour after several.
/// </summary>
/// <remarks>Threads: any; one signs in, the others wait for it.</remarks>
internal sealed class KoofrSession(KoofrPlace place, string user, string password, HttpClient http, TimeProvider time) : IDisposable
{
    // What was seen to clear "too many login retries", where the answer does not say.
    private static readonly TimeSpan LockOut = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _signingIn = new(1);
    private readonly Pause _lockedOut = new(time);
    private volatile string? _token;
    private volatile string? _refusal;

    /// <summary>The token, as far as there is one. Never signs in.</summary>
    public string? Token => _token;

    /// <summary>A token that is not <paramref name="dead"/>, for which it signs in if need be.</summary>
    public async Task<string> GetTokenAsync(string? dead, CancellationToken cancellationToken)
    {
        await _signingIn.WaitAsync(cancellationToken);
        try
        {
            if (_refusal is { } refusal)
            {
                throw Refused(refusal);
            }

            if (_token is { } token && token != dead)
            {
                return token;
            }

            _token = null;
            if (_lockedOut.Left is { } left && left > TimeSpan.Zero)
            {
                throw KoofrErrors.Throttled(place, "no more attempts to sign in", left);
            }

            return _token = await SignInAsync(cancellationToken);
        }
        finally
        {
            _signingIn.Release();
        }
    }

    /// <summary>Notes that the server does not take even a token that it has just given, and is the exception for it.</summary>
    public StoreException Refuse(string what) => Refused(_refusal ??= what);

    public void Dispose() => _signingIn.Dispose();

    // POST /token, as Koofr's own Go client does.
    private async Task<string> SignInAsync(CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(place.Server, "/token"))
        {
            Content = KoofrAnswers.ContentOf(new JsonObject { ["email"] = user, ["password"] = password }),
        };
        using HttpResponseMessage answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        switch (answer.StatusCode)
        {
            case HttpStatusCode.OK:
                using (JsonDocument said = await KoofrAnswers.ReadAsync(answer, cancellationToken))
                {
                    return KoofrAnswers.TokenOf(said) is { } token ? token : throw KoofrErrors.NotUnderstood(place);
                }

            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.BadRequest:
                throw Refuse($"does not take the password of '{user}'");
            case HttpStatusCode.TooManyRequests:
                TimeSpan asked = KoofrErrors.AskedToWait(answer, time) ?? LockOut;
                _lockedOut.Begin(asked);
                throw KoofrErrors.Throttled(place, "no more attempts to sign in", asked);
            default:
                throw await KoofrErrors.FromAnswerAsync(answer, place, cancellationToken);
        }
    }

    private StoreException Refused(string what) => new(
        StoreErrorKind.SignInRefused,
        isTransient: false,
        $"{place} {what}, and is not asked again with that password: run 'drive store login {place}' with an app password of the account (made in its preferences), or set {KoofrPlace.PasswordVariable} and mount again.");
}
