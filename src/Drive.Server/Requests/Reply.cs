using System.Globalization;
using System.Text;
using Drive.Stores.Http;
using Microsoft.AspNetCore.Http;

namespace Drive.Server.Requests;

/// <summary>Answers in the forms that docs/server.md promises.</summary>
internal static class Reply
{
    /// <summary>No: a status, the word for programs and a line for people.</summary>
    public static Task RefuseAsync(HttpContext context, int status, string reason, string line)
    {
        context.Response.Headers[ServerWire.ReasonHeader] = reason;
        return TextAsync(context, status, line + "\n");
    }

    public static Task TextAsync(HttpContext context, int status, string text)
    {
        byte[] body = Encoding.UTF8.GetBytes(text);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    /// <summary>When to come again, in whole seconds as RFC 9110 has it.</summary>
    public static void RetryAfter(HttpContext context, TimeSpan wait) =>
        context.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
}
