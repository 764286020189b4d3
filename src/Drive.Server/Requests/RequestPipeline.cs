using System.Globalization;
using System.Net;
using System.Threading.RateLimiting;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Server.Accounts;
using Drive.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Logging;

namespace Drive.Server.Requests;

/// <summary>
/// What every request goes through, in this order: it is noted for the access log, its caller is found, its rate is held, it is answered. The one place where failures
/// become answers.
/// </summary>
internal sealed class RequestPipeline(
    StoreHandler store, AccountBook accounts, ServerMetrics metrics, ServerSettings settings, IDisk disk, TimeProvider time, ILogger logger)
{
    private const string Bearer = "Bearer ";
    private const int ClientClosed = 499;

    // Objects lie in folders, so "a" and "a/b" cannot both be: EEXIST and ENOTDIR.
    private const int Exists = 17;
    private const int NotDirectory = 20;
    private static readonly string[] Methods = ["GET", "HEAD", "PUT", "DELETE"];

    /// <summary>Puts the steps together.</summary>
    public void Build(IApplicationBuilder app)
    {
        app.Use(NoteAsync);
        app.Use(IdentifyAsync);
        app.UseRateLimiter(Limits());
        app.Run(AnswerAsync);
    }

    private async Task NoteAsync(HttpContext context, RequestDelegate next)
    {
        long start = time.GetTimestamp();
        RequestNote note = new();
        context.Features.Set(note);
        int? status = null;
        try
        {
            await next(context);
        }
        catch (Exception exception)
        {
            status = await FailAsync(context, exception);
        }

        string method = Array.IndexOf(Methods, context.Request.Method) >= 0 ? context.Request.Method : "OTHER";
        status ??= context.RequestAborted.IsCancellationRequested ? ClientClosed : context.Response.StatusCode;
        metrics.Count(method, status.Value, note.Bytes);
        string client = context.Connection.RemoteIpAddress?.ToString() ?? "-";
        logger.Access(client, note.User, method, note.Vault, note.Kind, status.Value, note.Bytes, time.GetElapsedTime(start).TotalMilliseconds);
    }

    /// <summary>Answers for an exception, and gives the status for the log.</summary>
    private async Task<int> FailAsync(HttpContext context, Exception exception)
    {
        (int status, string reason, string line) = exception switch
        {
            _ when context.RequestAborted.IsCancellationRequested => (ClientClosed, "gone", ""),
            BadHttpRequestException bad => (bad.StatusCode, "bad-request", "the request broke off or makes no sense"),
            UndecidedException => (StatusCodes.Status409Conflict, "undecided", "it may or may not have been made: send the same bytes again"),
            StoreException { InnerException: IOException { HResult: Exists or NotDirectory } } =>
                (StatusCodes.Status400BadRequest, "bad-name", "an object has the name of one of its folders"),
            StoreException { Kind: StoreErrorKind.Full } or DiskFullException => (StatusCodes.Status507InsufficientStorage, "disk", "the server's disk is full"),
            StoreException or IOException => (StatusCodes.Status503ServiceUnavailable, "away", "the server's disk does not answer"),
            _ => (StatusCodes.Status500InternalServerError, "failed", "the server failed"),
        };
        if (status >= StatusCodes.Status500InternalServerError || exception is UndecidedException)
        {
            logger.RequestFailed(exception);
        }

        if (status == ClientClosed || context.Response.HasStarted)
        {
            context.Abort();
            return status;
        }

        context.Response.Clear();
        try
        {
            await Reply.RefuseAsync(context, status, reason, line);
        }
        catch (Exception late) when (late is OperationCanceledException or IOException)
        {
            return ClientClosed;
        }

        return status;
    }

    private Task IdentifyAsync(HttpContext context, RequestDelegate next)
    {
        string? header = context.Request.Headers.Authorization;
        if (header?.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) == true && accounts.Find(header[Bearer.Length..].Trim()) is { } caller)
        {
            context.Features.Set(caller);
            RequestNote.Of(context).User = $"{caller.User}/{caller.TokenId}";
        }

        return next(context);
    }

    /// <summary>A bucket for each token; for who has none, one for each address.</summary>
    private RateLimiterOptions Limits() => new()
    {
        RejectionStatusCode = StatusCodes.Status429TooManyRequests,
        GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context => RateLimitPartition.GetTokenBucketLimiter(
            context.Features.Get<Caller>()?.TokenId ?? context.Connection.RemoteIpAddress?.ToString() ?? "",
            _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = settings.RequestsPerSecond * 10,
                TokensPerPeriod = settings.RequestsPerSecond,
                ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                QueueLimit = 0,
            })),
        OnRejected = (rejected, _) =>
        {
            Reply.RetryAfter(rejected.HttpContext, rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan wait) ? wait : TimeSpan.FromSeconds(1));
            string line = string.Create(CultureInfo.InvariantCulture, $"more than {settings.RequestsPerSecond} requests a second");
            return new ValueTask(Reply.RefuseAsync(rejected.HttpContext, StatusCodes.Status429TooManyRequests, "rate", line));
        },
    };

    private Task AnswerAsync(HttpContext context)
    {
        Caller? caller = context.Features.Get<Caller>();
        return context.Request.Path.Value switch
        {
            "/health" => disk.DirectoryExists(settings.Directory) && accounts.IsThere()
                ? Reply.TextAsync(context, StatusCodes.Status200OK, "ok\n")
                : Reply.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "away", "the server's disk does not answer"),
            "/metrics" when caller is not null || IsThisMachine(context) => Reply.TextAsync(context, StatusCodes.Status200OK, metrics.Describe()),
            _ when caller is null => RefuseStrangerAsync(context),
            _ => store.AnswerAsync(context, caller),
        };
    }

    private static bool IsThisMachine(HttpContext context) => context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address);

    private static Task RefuseStrangerAsync(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return Reply.RefuseAsync(context, StatusCodes.Status401Unauthorized, "token", "a valid token is needed: Authorization: Bearer TOKEN");
    }
}
