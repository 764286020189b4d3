using System.Net;
using Amazon.Runtime;
using Drive.Core.Stores;
using Drive.Stores.Http;

namespace Drive.Stores.S3;

/// <summary>What a failed request to an S3 server means for a store.</summary>
internal static class S3Errors
{
    /// <summary>Whether the exception is one of the server, the network or the credentials. A cancelled call is not.</summary>
    public static bool IsKnown(Exception error) => error is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or TimeoutException;

    public static StoreException From(Exception error, S3Place place) => error switch
    {
        AmazonServiceException { StatusCode: > 0 } answer => FromAnswer(answer, place),
        AmazonServiceException or HttpRequestException or IOException or TimeoutException or OperationCanceledException =>
            new StoreException(StoreErrorKind.Unreachable, isTransient: true, $"{place} does not answer: {SilenceException.Reason(error)}", error),
        _ => new StoreException(
            StoreErrorKind.Denied, isTransient: false, $"There are no credentials for {place}: run 'drive store login {place}', or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE. ({error.Message})", error),
    };

    private static StoreException FromAnswer(AmazonServiceException answer, S3Place place)
    {
        (StoreErrorKind kind, bool isTransient, string what) = answer switch
        {
            { ErrorCode: "QuotaExceeded" or "InsufficientCapacity" } or { StatusCode: HttpStatusCode.InsufficientStorage } => (StoreErrorKind.Full, false, "has no room"),
            { ErrorCode: "NoSuchBucket" } => (StoreErrorKind.Unreachable, false, "does not exist: make the bucket, or look at its name"),
            { ErrorCode: "SlowDown" } or { StatusCode: HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable } => (StoreErrorKind.Throttled, true, "asks to slow down"),
            { ErrorCode: "RequestTimeTooSkewed" } => (StoreErrorKind.Denied, true, "refuses this machine's clock: set it right"),
            { ErrorCode: "ExpiredToken" or "TokenRefreshRequired" } => (StoreErrorKind.Denied, true, $"refuses credentials that ran out: run 'drive store login {place}', or renew them"),
            { StatusCode: HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden } => (StoreErrorKind.Denied, false, $"refuses: run 'drive store login {place}', or look at the credentials and the bucket's policy"),

            // An answer without S3's own words: the server lost step on this connection. The next try gets another.
            { StatusCode: HttpStatusCode.BadRequest, ErrorCode: null or "" or nameof(HttpStatusCode.BadRequest) } => (StoreErrorKind.Malformed, true, "gave an answer that is not S3's"),

            // Two writers of one name met: the same bytes go to the same name again.
            { StatusCode: HttpStatusCode.Conflict } => (StoreErrorKind.Failed, true, "is busy with the same name"),
            { StatusCode: >= HttpStatusCode.InternalServerError } => (StoreErrorKind.Failed, true, "failed"),
            _ => (StoreErrorKind.Failed, false, "refuses the request"),
        };
        return new StoreException(kind, isTransient, $"{place} {what} ({(int)answer.StatusCode} {answer.ErrorCode}: {answer.Message})", answer);
    }
}
