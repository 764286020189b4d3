using System.Net;
using System.Xml;
using Drive.Core.Stores;
using Drive.Stores.Http;

namespace Drive.Stores.WebDav;

/// <summary>What an answer of a WebDAV server, or none, means for a store. Codes as Apache, lighttpd, nginx and rclone send them.</summary>
internal static class DavErrors
{
    public static StoreException From(Exception error, DavPlace place) => error switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => new StoreException(
            StoreErrorKind.Denied, isTransient: false, $"{place} has no certificate that this machine trusts: {error.InnerException?.Message ?? error.Message}", error),
        XmlException => new StoreException(StoreErrorKind.Malformed, isTransient: true, $"{place} gave an answer that is not WebDAV's: {error.Message}", error),
        _ => new StoreException(StoreErrorKind.Unreachable, isTransient: true, $"{place} does not answer: {SilenceException.Reason(error)}", error),
    };

    /// <summary>An answer that the request was not made for.</summary>
    public static StoreException From(HttpMethod method, HttpStatusCode status, DavPlace place)
    {
        (StoreErrorKind kind, bool isTransient, string what) = status switch
        {
            HttpStatusCode.Unauthorized => (
                StoreErrorKind.Denied, false, $"refuses who signs in: run 'drive store login {place}', or set {DavCredentials.UserVariable} and {DavCredentials.PasswordVariable}, or {DavCredentials.TokenVariable}"),
            HttpStatusCode.Forbidden or HttpStatusCode.ProxyAuthenticationRequired => (StoreErrorKind.Denied, false, "refuses: look at what this user may do there"),
            HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable => (StoreErrorKind.Throttled, true, "asks to slow down"),
            HttpStatusCode.InsufficientStorage => (StoreErrorKind.Full, false, "has no room"),
            HttpStatusCode.RequestEntityTooLarge => (StoreErrorKind.Denied, false, "takes no object of that size: raise its limit for the body of a request"),
            HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented => (StoreErrorKind.Malformed, false, "does not do that: it is no WebDAV folder, or a read-only one"),

            // A parent that another has just taken away, a lock that lasts as long as the request of another: both pass.
            HttpStatusCode.NotFound or HttpStatusCode.Conflict or HttpStatusCode.Locked or HttpStatusCode.RequestTimeout => (StoreErrorKind.Failed, true, "is busy with the same name"),
            >= HttpStatusCode.InternalServerError => (StoreErrorKind.Failed, true, "failed"),
            >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest => (StoreErrorKind.Malformed, false, "points to another place: give the URL that it really has"),
            >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices => (StoreErrorKind.Malformed, true, "gave an answer that is not WebDAV's"),
            _ => (StoreErrorKind.Failed, false, "refuses the request"),
        };
        return new StoreException(kind, isTransient, $"{place} {what} ({method} {(int)status})");
    }
}
