using System.Net;
using System.Text.Json;
using Drive.Core.Stores;
using Drive.Stores.Http;

namespace Drive.Stores.Koofr;

/// <summary>What an answer of a Koofr server, or none, means for a store. Codes as its public clients know them.</summary>
internal static class KoofrErrors
{
    // A server that asks for more is not believed: the user would see nothing for a day.
    private static readonly TimeSpan WaitMax = TimeSpan.FromHours(1);

    public static StoreException? From(Exception error, KoofrPlace place) => error switch
    {
        StoreException => null,
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => new StoreException(
            StoreErrorKind.Denied, isTransient: false, $"{place} has no certificate that this machine trusts: {error.InnerException?.Message ?? error.Message}", error),
        JsonException or HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => NotUnderstood(place, error),
        HttpRequestException or IOException or OperationCanceledException =>
            new StoreException(StoreErrorKind.Unreachable, isTransient: true, $"{place} does not answer: {SilenceException.Reason(error)}", error),
        _ => null,
    };

    public static StoreException NotUnderstood(KoofrPlace place, Exception? error = null) => new(
        StoreErrorKind.Malformed, isTransient: true, $"{place} gave an answer that is not Koofr's: is something in between, or the address wrong?", error);

    public static StoreException Throttled(KoofrPlace place, string what, TimeSpan left) =>
        new(StoreErrorKind.Throttled, isTransient: true, $"{place} wants {what} for {Math.Ceiling(left.TotalSeconds):0} s.");

    /// <summary>How long an answer asks to be left alone, from its <c>Retry-After</c> in seconds or as a date; null when it does not say.</summary>
    public static TimeSpan? AskedToWait(HttpResponseMessage answer, TimeProvider time)
    {
        TimeSpan? asked = answer.Headers.RetryAfter?.Delta ?? (answer.Headers.RetryAfter?.Date - time.GetUtcNow());
        return asked is not { } wait ? null : wait < TimeSpan.Zero ? TimeSpan.Zero : wait < WaitMax ? wait : WaitMax;
    }

    /// <summary>An answer that the request was not made for.</summary>
    public static async Task<StoreException> FromAnswerAsync(HttpResponseMessage answer, KoofrPlace place, CancellationToken cancellationToken) =>
        From(answer, await KoofrAnswers.ReadErrorAsync(answer, cancellationToken), place);

    /// <summary>The same, from its body (null: it is not Koofr's).</summary>
    public static StoreException From(HttpResponseMessage answer, KoofrError? said, KoofrPlace place)
    {
        (StoreErrorKind kind, bool isTransient, string what) = answer.StatusCode switch
        {
            HttpStatusCode.TooManyRequests => (StoreErrorKind.Throttled, true, "asks to slow down"),
            HttpStatusCode.InsufficientStorage => (StoreErrorKind.Full, false, "has no room"),
            HttpStatusCode.RequestEntityTooLarge => (StoreErrorKind.Denied, false, "takes no object of that size"),
            HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout or HttpStatusCode.RequestTimeout =>
                (StoreErrorKind.Unreachable, true, "cannot answer for now"),
            >= HttpStatusCode.InternalServerError => (StoreErrorKind.Failed, true, "failed"),
            >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest => (StoreErrorKind.Malformed, false, "points to another place: give the address that it really has"),
            _ when said is null => (StoreErrorKind.Malformed, true, "gave an answer that is not Koofr's: is something in between, or the address wrong?"),
            HttpStatusCode.Forbidden => (StoreErrorKind.Denied, false, "refuses: look at what the account may do there"),

            // A parent that another has just taken away; a file that changed between two requests; a 400 that was seen to pass by itself.
            HttpStatusCode.NotFound or HttpStatusCode.Conflict or HttpStatusCode.BadRequest => (StoreErrorKind.Failed, true, "did not do it"),
            _ => (StoreErrorKind.Failed, false, "refuses the request"),
        };
        return new StoreException(kind, isTransient, $"{place} {what} ({(int)answer.StatusCode}{(said is null ? "" : $" {said.Code}: {said.Message}")})");
    }
}
