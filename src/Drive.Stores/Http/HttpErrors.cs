using System.Net;
using System.Security.Authentication;
using Drive.Core.Stores;

namespace Drive.Stores.Http;

/// <summary>What a failed request to a server of Drive's own means for a store.</summary>
internal static class HttpErrors
{
    /// <summary>Whether the exception is one of the network. A cancelled call is not.</summary>
    public static bool IsKnown(Exception error) => error is HttpRequestException or IOException;

    public static StoreException From(Exception error, HttpPlace place) => error switch
    {
        { InnerException: AuthenticationException refused } => new StoreException(
            StoreErrorKind.Denied,
            isTransient: false,
            place.Pin is null
                ? $"{place} shows a certificate that this machine does not trust: give its SHA-256 as ?pin=…, as the server printed it. ({refused.Message})"
                : $"{place} shows another certificate than the pinned one: it is another server, or somebody is between.",
            error),
        _ => new StoreException(StoreErrorKind.Unreachable, isTransient: true, $"{place} does not answer: {SilenceException.Reason(error)}", error),
    };

    public static StoreException TimedOut(HttpPlace place, TimeSpan limit) =>
        new(StoreErrorKind.Unreachable, isTransient: true, $"{place} gave no answer within {limit.TotalSeconds:0} s.");

    /// <summary>From a status, the server's word for it (null: the answer is not from a server of Drive's), and what it says about it.</summary>
    public static StoreException FromAnswer(HttpStatusCode status, string? reason, string said, HttpPlace place)
    {
        (StoreErrorKind kind, bool isTransient, string what) = (status, reason) switch
        {
            (_, null) => (StoreErrorKind.Malformed, true, "gave an answer that is not a Drive server's: is something in between, or the address wrong?"),
            (HttpStatusCode.NotFound, ServerWire.NoVault) => (StoreErrorKind.Unreachable, false, "does not exist for this token's user: look at the vault's name"),
            (HttpStatusCode.Unauthorized, _) => (StoreErrorKind.Denied, false, $"does not know the token: run 'drive store login {place}', or set {HttpPlace.TokenVariable}"),
            (HttpStatusCode.Forbidden, _) => (StoreErrorKind.Denied, false, "does not allow this token to do that"),
            (HttpStatusCode.RequestEntityTooLarge, _) => (StoreErrorKind.TooLarge, false, "takes no object of that size"),
            (HttpStatusCode.InsufficientStorage, _) => (StoreErrorKind.Full, false, "has no room left"),
            (HttpStatusCode.TooManyRequests, _) => (StoreErrorKind.Throttled, true, "asks to slow down"),
            (HttpStatusCode.ServiceUnavailable or HttpStatusCode.RequestTimeout, _) => (StoreErrorKind.Unreachable, true, "cannot answer for now"),

            // It may or may not have been made: the same bytes go to the same name again.
            (HttpStatusCode.Conflict, _) => (StoreErrorKind.Failed, true, "does not know whether it made that"),
            ( >= HttpStatusCode.InternalServerError, _) => (StoreErrorKind.Failed, true, "failed"),
            _ => (StoreErrorKind.Failed, false, "refuses the request"),
        };
        return new StoreException(kind, isTransient, $"{place} {what} ({(int)status} {reason}{(said.Length == 0 ? "" : ": " + said)})");
    }
}
