using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Drive.Testing.Koofr;

/// <summary>
/// A server of this project's own that answers as the public clients of Koofr describe its REST API: one account with one mount, tokens that run out, conditional puts,
/// ranges, a listing line by line, events, its error bodies. It is a picture of the service and no proof of what the service does.
/// </summary>
public sealed class KoofrServer : IAsyncDisposable
{
    public const string User = "ana@example.com";
    public const string Password = "canary-password-7f3a";
    public const string MountId = "86f2d1a7-226e-433e-a9fa-7779392b20fd";

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, bool> _tokens = new();
    private int _signIns;
    private int _tokensGiven;
    private int _folders;

    private KoofrServer(WebApplication app)
    {
        _app = app;
        Events = new KoofrEvents(authorization => _tokens.ContainsKey(authorization), MountId);
    }

    /// <summary>Looked at before anything else: true when it has answered in the server's place.</summary>
    public Func<HttpContext, Task<bool>> Instead { get; set; } = static _ => Task.FromResult(false);

    public KoofrTree Tree { get; } = new();

    public KoofrEvents Events { get; }

    /// <summary>Requests, as "METHOD path?query".</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>All that came over the network but for the sign-in: request lines, headers and bodies.</summary>
    public ConcurrentQueue<byte[]> Heard { get; } = new();

    /// <summary>How often somebody tried to sign in.</summary>
    public int SignIns => Volatile.Read(ref _signIns);

    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public static async Task<KoofrServer> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        WebApplication app = builder.Build();
        KoofrServer server = new(app);
        app.UseWebSockets();
        app.Run(server.ServeAsync);
        await app.StartAsync();
        return server;
    }

    /// <summary>The URL of a folder that does not exist yet.</summary>
    public string NewFolder() => $"koofr+http://{Uri.EscapeDataString(User)}@{Address.Authority}/vaults/drive-{Interlocked.Increment(ref _folders)}";

    /// <summary>No token is known any more.</summary>
    public void ExpireTokens() => _tokens.Clear();

    /// <summary>Answers with a status and a body of another origin.</summary>
    public static async Task<bool> SayAsync(HttpContext context, HttpStatusCode status, string type, string body)
    {
        context.Response.StatusCode = (int)status;
        context.Response.ContentType = type;
        await context.Response.WriteAsync(body);
        return true;
    }

    /// <summary>Answers with a refusal as the API has them.</summary>
    public static Task<bool> RefuseAsync(HttpContext context, HttpStatusCode status, string code, string message) => SayAsync(
        context, status, "application/json; charset=utf-8", new JsonObject { ["error"] = new JsonObject { ["code"] = code, ["message"] = message }, ["requestId"] = "1" }.ToJsonString());

    public async ValueTask DisposeAsync()
    {
        Events.Drop();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        string line = $"{request.Method} {request.Path}{request.QueryString}";
        Requests.Enqueue(line);
        if (request.Path == "/token")
        {
            Interlocked.Increment(ref _signIns);
        }
        else
        {
            Heard.Enqueue(System.Text.Encoding.UTF8.GetBytes(line + "\n" + string.Join('\n', request.Headers.Select(static header => $"{header.Key}: {header.Value}"))));
        }

        try
        {
            if (!await Instead(context))
            {
                await AnswerAsync(context);
            }
        }
        catch (KoofrRefusalException refusal)
        {
            await RefuseAsync(context, refusal.Status, refusal.Code, refusal.Message);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or BadHttpRequestException)
        {
            context.Abort();
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (request.Path == "/token")
        {
            await SignInAsync(context);
            return;
        }

        if (request.Path == "/events" && context.WebSockets.IsWebSocketRequest)
        {
            using System.Net.WebSockets.WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
            await Events.ServeAsync(socket, context.RequestAborted);
            return;
        }

        if (!_tokens.ContainsKey(request.Headers.Authorization.ToString()))
        {
            context.Response.StatusCode = (int)HttpStatusCode.Unauthorized;
            return;
        }

        string path = request.Query["path"].ToString() is { Length: > 1 } asked ? asked.TrimEnd('/') : "/";
        string mount = $"/api/v2.1/mounts/{MountId}";
        switch ((request.Method, request.Path.Value!))
        {
            case ("GET", "/api/v2.1/places"):
                await JsonAsync(context, new JsonObject { ["places"] = new JsonArray(Mount("other-mount", "Dropbox", false), Mount(MountId, "My files", true)) });
                break;
            case ("GET", string of) when of == mount:
                await JsonAsync(context, Mount(MountId, "My files", true));
                break;
            case ("GET", string of) when of == mount + "/bundle":
                await JsonAsync(context, new JsonObject { ["file"] = Tree.Get(path).ToJson(), ["files"] = new JsonArray([.. Tree.Children(path).Select(static node => node.ToJson())]) });
                break;
            case ("GET", string of) when of == mount + "/files/info":
                await JsonAsync(context, Tree.Get(path).ToJson());
                break;
            case ("POST", string of) when of == mount + "/files/folder":
                Tree.MakeFolder(path, (await JsonNode.ParseAsync(request.Body))!["name"]!.GetValue<string>());
                break;
            case ("DELETE", string of) when of == mount + "/files/remove":
                Events.Tell("fileRemoved", path, Tree.Remove(path, Option(request, "removeIfHash")), request.Headers.UserAgent.ToString());
                break;
            case ("GET", string of) when of == "/content" + mount + "/files/get":
                await GetAsync(context, path);
                break;
            case ("GET", string of) when of == "/content" + mount + "/files/listrecursive":
                context.Response.ContentType = "application/x-ndjson; charset=utf-8";
                await context.Response.WriteAsync(string.Concat(Tree.List(path).Select(static found =>
                    new JsonObject { ["type"] = "file", ["path"] = found.Path, ["file"] = found.Node.ToJson() }.ToJsonString() + "\n")));
                break;
            case ("POST", string of) when of == "/content" + mount + "/files/put":
                await PutAsync(context, path);
                break;
            default:
                throw new KoofrRefusalException(HttpStatusCode.NotFound, "NotFound", "Mount not found");
        }
    }

    private async Task SignInAsync(HttpContext context)
    {
        JsonNode said = (await JsonNode.ParseAsync(context.Request.Body))!;
        if (said["email"]?.GetValue<string>() != User || said["password"]?.GetValue<string>() != Password)
        {
            await RefuseAsync(context, HttpStatusCode.Unauthorized, "Unauthorized", "Invalid email or password");
            return;
        }

        string token = $"token-{Interlocked.Increment(ref _tokensGiven)}";
        _tokens[$"Token token=\"{token}\""] = true;
        await JsonAsync(context, new JsonObject { ["token"] = token });
    }

    private async Task GetAsync(HttpContext context, string path)
    {
        KoofrNode node = Tree.Get(path);
        byte[] content = node.Content ?? throw new KoofrRefusalException(HttpStatusCode.BadRequest, "NotFile", "Not a file");
        context.Response.ContentType = "application/octet-stream";
        context.Response.Headers["X-File-Info"] = node.ToJson().ToJsonString();
        int from = 0;
        int length = content.Length;
        if (System.Net.Http.Headers.RangeHeaderValue.TryParse(context.Request.Headers.Range.ToString(), out System.Net.Http.Headers.RangeHeaderValue? range))
        {
            if (range.Ranges.Single().From is not { } wanted || wanted >= content.Length)
            {
                context.Response.Headers.ContentRange = $"bytes */{content.Length}";
                throw new KoofrRefusalException(HttpStatusCode.RequestedRangeNotSatisfiable, "Other", "Invalid range");
            }

            from = (int)wanted;
            length = (int)Math.Min(content.Length - from, (range.Ranges.Single().To ?? long.MaxValue - 1) - from + 1);
            context.Response.StatusCode = (int)HttpStatusCode.PartialContent;
            context.Response.Headers.ContentRange = $"bytes {from}-{from + length - 1}/{content.Length}";
        }

        context.Response.ContentLength = length;
        await context.Response.Body.WriteAsync(content.AsMemory(from, length));
    }

    private async Task PutAsync(HttpContext context, string parent)
    {
        HttpRequest request = context.Request;
        string name = Option(request, "filename")!;
        bool overwrite = Option(request, "overwrite") == "true" || Option(request, "overwriteIfHash") is not null;
        bool autorename = Option(request, "autorename") != "false" && !overwrite;
        if (Option(request, "info") != "true" || name.AsSpan().ContainsAny('/', '\\', '\x7f'))
        {
            throw new KoofrRefusalException(HttpStatusCode.BadRequest, "BadRequest", "Info must be true, and the name one");
        }

        Tree.CheckPut(parent, name, overwrite, autorename, Option(request, "overwriteIfHash"));
        using MemoryStream content = new();
        await request.Body.CopyToAsync(content, context.RequestAborted);
        Heard.Enqueue(content.ToArray());
        KoofrNode made = Tree.Put(parent, name, overwrite, autorename, Option(request, "overwriteIfHash"), content.ToArray());
        Events.Tell("fileCreated", KoofrTree.Join(parent, made.Name), made, request.Headers.UserAgent.ToString());
        await JsonAsync(context, made.ToJson());
    }

    private static string? Option(HttpRequest request, string name) => request.Query.TryGetValue(name, out Microsoft.Extensions.Primitives.StringValues values) ? values.ToString() : null;

    private static JsonObject Mount(string id, string name, bool isPrimary) => new()
    {
        ["id"] = id,
        ["name"] = name,
        ["type"] = "device",
        ["origin"] = isPrimary ? "hosted" : "dropbox",
        ["online"] = true,
        ["isPrimary"] = isPrimary,
        ["spaceTotal"] = 10_240,
        ["spaceUsed"] = 240,
    };

    private static Task JsonAsync(HttpContext context, JsonObject said) => SayAsync(context, HttpStatusCode.OK, "application/json; charset=utf-8", said.ToJsonString());
}
