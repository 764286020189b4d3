using Microsoft.AspNetCore.Http;

namespace Drive.Server.Requests;

/// <summary>What the access log says of a request besides what HTTP knows. Filled in on the way.</summary>
internal sealed class RequestNote
{
    private static readonly string[] Kinds = ["vault", "slots", "packs", "checkpoints", "log", "floor", "keys", "probe"];

    public string User { get; set; } = "-";

    public string Vault { get; set; } = "-";

    /// <summary>The kind of object by the first part of its name, or what was asked of the vault: never a whole name.</summary>
    public string Kind { get; private set; } = "-";

    /// <summary>Bytes of content that went in or out.</summary>
    public long Bytes { get; set; }

    public static RequestNote Of(HttpContext context) => context.Features.Get<RequestNote>()!;

    public void Set(StoreRequest request)
    {
        Vault = request.Vault;
        string first = request.Name?.Value.Split('/')[0] ?? request.Question ?? "-";
        Kind = request.Name is null || Array.IndexOf(Kinds, first) >= 0 ? first : "other";
    }
}
