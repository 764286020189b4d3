using System.Buffers;
using System.Globalization;
using System.Text;
using System.Threading.RateLimiting;
using Drive.Core.Stores;
using Drive.Server.Accounts;
using Drive.Server.Storage;
using Drive.Stores.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Drive.Server.Requests;

/// <summary>Answers the requests for vaults and objects. Who asks is known by then.</summary>
internal sealed class StoreHandler(VaultCollection vaults, AccountBook accounts, ServerSettings settings, WatchHandler watches, BodyRoom room)
{
    private const int ChunkBytes = 256 << 10;
    private const string Anything = "*";

    public async Task AnswerAsync(HttpContext context, Caller caller)
    {
        string target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (StoreRequest.Parse(target, context.Request.Query, out string problem) is not { } request)
        {
            await Reply.RefuseAsync(context, StatusCodes.Status400BadRequest, "bad-name", problem);
            return;
        }

        RequestNote.Of(context).Set(request);
        string method = context.Request.Method;
        if (request is { Name: null, Question: null } && HttpMethods.IsPut(method))
        {
            await MakeVaultAsync(context, caller, request.Vault);
        }
        else if (vaults.Find(caller.User, request.Vault) is not { } vault)
        {
            await Reply.RefuseAsync(context, StatusCodes.Status404NotFound, ServerWire.NoVault, "no such vault");
        }
        else if (request.Name is { } name)
        {
            await (method switch
            {
                "GET" or "HEAD" => GetAsync(context, vault, name),
                "PUT" => PutAsync(context, caller, vault, name),
                "DELETE" => DeleteAsync(context, caller, vault, name),
                _ => RefuseMethodAsync(context),
            });
        }
        else
        {
            await ((method, request.Question) switch
            {
                ("GET", StoreRequest.List) => ListAsync(context, vault, request),
                ("GET", StoreRequest.Space) => TellSpaceAsync(context, caller, vault),
                ("GET", StoreRequest.Watch) => watches.AnswerAsync(context, caller, vault, request.Prefix),
                _ => RefuseMethodAsync(context),
            });
        }
    }

    private static Task RefuseMethodAsync(HttpContext context) => Reply.RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, "method", "this cannot be done to that");

    private static Task RefuseAbsentAsync(HttpContext context) => Reply.RefuseAsync(context, StatusCodes.Status404NotFound, ServerWire.Absent, "no such object");

    private async Task MakeVaultAsync(HttpContext context, Caller caller, string vault)
    {
        switch (await vaults.CreateAsync(caller.User, vault, settings.VaultsMax, context.RequestAborted))
        {
            case { } isMade:
                context.Response.StatusCode = isMade ? StatusCodes.Status201Created : StatusCodes.Status204NoContent;
                break;
            default:
                await Reply.RefuseAsync(context, StatusCodes.Status507InsufficientStorage, "vaults", $"a user has at most {settings.VaultsMax} vaults");
                break;
        }
    }

    private async Task PutAsync(HttpContext context, Caller caller, StoredVault vault, ObjectName name)
    {
        if (context.Request.Headers.IfNoneMatch != Anything)
        {
            await Reply.RefuseAsync(context, StatusCodes.Status428PreconditionRequired, "condition", "objects never change: put them with If-None-Match: *");
            return;
        }

        if (context.Request.ContentLength is not { } length)
        {
            await Reply.RefuseAsync(context, StatusCodes.Status411LengthRequired, "length", "a put needs a Content-Length");
            return;
        }

        if (length > settings.ObjectBytesMax)
        {
            await Reply.RefuseAsync(context, StatusCodes.Status413PayloadTooLarge, "too-large", $"an object has at most {settings.ObjectBytesMax} bytes");
            return;
        }

        if (!vault.Space.TryTake(length, caller.QuotaBytes))
        {
            await Reply.RefuseAsync(context, StatusCodes.Status507InsufficientStorage, "quota", $"the quota of {caller.QuotaBytes} bytes is used up");
            return;
        }

        bool isKept = false;
        try
        {
            isKept = await ReceiveAsync(context, caller, vault, name, (int)length);
        }
        catch (UndecidedException)
        {
            isKept = true;
            throw;
        }
        finally
        {
            if (!isKept)
            {
                vault.Space.Give(length);
            }
        }
    }

    /// <summary>Takes the body whole into memory, and only then makes the object: what is cut leaves nothing. Whether there is a new object.</summary>
    private async Task<bool> ReceiveAsync(HttpContext context, Caller caller, StoredVault vault, ObjectName name, int length)
    {
        using RateLimitLease lease = await room.TakeAsync(caller.User, length, context.RequestAborted);
        if (!lease.IsAcquired)
        {
            Reply.RetryAfter(context, TimeSpan.FromSeconds(1));
            await Reply.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "busy", "too many uploads at once");
            return false;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            await ReadBodyAsync(context, buffer.AsMemory(0, length));
            RequestNote.Of(context).Bytes = length;
            if (!accounts.IsStill(caller))
            {
                await Reply.RefuseAsync(context, StatusCodes.Status401Unauthorized, "token", "that token was revoked meanwhile");
                return false;
            }

            if (await vault.PutAsync(name, buffer.AsMemory(0, length), context.RequestAborted))
            {
                context.Response.StatusCode = StatusCodes.Status201Created;
                return true;
            }

            await Reply.RefuseAsync(context, StatusCodes.Status412PreconditionFailed, ServerWire.Taken, "there is an object of that name");
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task ReadBodyAsync(HttpContext context, Memory<byte> destination)
    {
        try
        {
            await context.Request.Body.ReadExactlyAsync(destination, context.RequestAborted);
        }
        catch (IOException cut) when (cut is not BadHttpRequestException)
        {
            // The connection's, and no fault of the disk.
            throw new BadHttpRequestException("The body broke off.", cut);
        }
    }

    private static async Task GetAsync(HttpContext context, StoredVault vault, ObjectName name)
    {
        string? header = context.Request.Headers.Range;
        RangeItemHeaderValue? range = null;
        if (header is not null && !ByteRange.TryParse(header, out range))
        {
            await Reply.RefuseAsync(context, StatusCodes.Status400BadRequest, "bad-range", "one range of bytes at a time: bytes=FIRST-LAST");
            return;
        }

        if (await vault.Store.GetLengthAsync(name, context.RequestAborted) is not { } length)
        {
            await RefuseAbsentAsync(context);
            return;
        }

        HttpResponse response = context.Response;
        response.Headers.AcceptRanges = "bytes";
        (long Offset, long Count) part = (0, length);
        if (range is not null)
        {
            if (ByteRange.Within(range, length) is not { } within)
            {
                response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{length}");
                await Reply.RefuseAsync(context, StatusCodes.Status416RangeNotSatisfiable, "range", "the object ends before that");
                return;
            }

            part = within;
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {part.Offset}-{part.Offset + part.Count - 1}/{length}");
        }

        response.ContentType = "application/octet-stream";
        response.ContentLength = part.Count;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await SendAsync(context, vault, name, part.Offset, part.Count);
        }
    }

    private static async Task SendAsync(HttpContext context, StoredVault vault, ObjectName name, long offset, long count)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(ChunkBytes, Math.Max(1, count)));
        try
        {
            for (long end = offset + count; offset < end;)
            {
                Memory<byte> chunk = buffer.AsMemory(0, (int)Math.Min(buffer.Length, end - offset));
                if (await vault.Store.GetRangeAsync(name, offset, chunk, context.RequestAborted) != chunk.Length)
                {
                    // Removed, or shorter than it was. What was promised cannot be sent: the connection ends within the answer, and the client sees that.
                    context.Abort();
                    return;
                }

                await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
                RequestNote.Of(context).Bytes += chunk.Length;
                offset += chunk.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task DeleteAsync(HttpContext context, Caller caller, StoredVault vault, ObjectName name)
    {
        if (caller.IsAppendOnly)
        {
            await Reply.RefuseAsync(context, StatusCodes.Status403Forbidden, "append-only", "this token may add and read, and not remove");
        }
        else if (await vault.DeleteAsync(name, context.RequestAborted))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        else
        {
            await RefuseAbsentAsync(context);
        }
    }

    private static async Task ListAsync(HttpContext context, StoredVault vault, StoreRequest request)
    {
        StringBuilder lines = new();
        int count = 0;
        string last = "";
        await foreach (ObjectInfo found in vault.Store.ListAsync(request.Prefix, request.After, context.RequestAborted))
        {
            if (count == ServerWire.PageMax)
            {
                context.Response.Headers[ServerWire.NextHeader] = last;
                break;
            }

            lines.Append(CultureInfo.InvariantCulture, $"{found.Length} {found.Name}\n");
            last = found.Name.Value;
            count++;
        }

        await Reply.TextAsync(context, StatusCodes.Status200OK, lines.ToString());
    }

    private Task TellSpaceAsync(HttpContext context, Caller caller, StoredVault vault)
    {
        long free = Math.Clamp(caller.QuotaBytes - vault.Space.Used, 0, vaults.DiskFreeBytes());
        return Reply.TextAsync(context, StatusCodes.Status200OK, string.Create(CultureInfo.InvariantCulture, $"{caller.QuotaBytes} {free}\n"));
    }
}
