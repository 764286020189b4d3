using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Drive.Core.Stores;

namespace Drive.Stores.Koofr;

/// <summary>What Koofr says of a file or folder.</summary>
/// <param name="Name">Its last name.</param>
/// <param name="IsFile">Whether it is a file.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Hash">The MD5 in lower-case hex; null where it does not say: a mount of another service, a folder.</param>
internal sealed record KoofrFile(string Name, bool IsFile, long Length, string? Hash);

/// <summary>A mount: a tree of files that the account reaches.</summary>
/// <param name="Id">What requests name it by.</param>
/// <param name="Name">For people.</param>
/// <param name="IsPrimary">Whether it is Koofr's own storage of the account.</param>
/// <param name="Space">Its quota, of which Koofr tells whole MiB; null where it does not tell.</param>
internal sealed record KoofrMount(string Id, string Name, bool IsPrimary, StoreSpace? Space);

/// <summary>The body of a refusal.</summary>
/// <param name="Code">A word such as NotFound.</param>
/// <param name="Message">For people, one line of at most 200 characters.</param>
internal sealed record KoofrError(string Code, string Message);

/// <summary>Reads answers of the API, token by token, and writes what it is asked. What is not of their form is a <see cref="JsonException"/>, or null for the body of a refusal.</summary>
internal static class KoofrAnswers
{
    // A bundle of a folder that should be empty is the longest; a hostile one is not read to its end.
    private const int BytesMax = 4 << 20;
    private const int SaidMax = 200;
    private const long MiB = 1 << 20;

    /// <summary>The body of a request.</summary>
    public static StringContent ContentOf(JsonObject asked) => new(asked.ToJsonString(), Encoding.UTF8, "application/json");

    /// <summary>The answer's JSON. The caller disposes it.</summary>
    public static async Task<JsonDocument> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        await answer.Content.LoadIntoBufferAsync(BytesMax, cancellationToken);
        return await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken);
    }

    /// <summary>The body of a refusal; null when it is not Koofr's.</summary>
    public static async Task<KoofrError?> ReadErrorAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        byte[] said = new byte[16 << 10];
        await using Stream body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        int length = await body.ReadAtLeastAsync(said, said.Length, throwOnEndOfStream: false, cancellationToken);
        try
        {
            using JsonDocument document = JsonDocument.Parse(said.AsMemory(0, length));
            return document.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("error", out JsonElement error) ? ErrorOf(error) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The token of a sign-in; null when there is none that could stand in a header.</summary>
    public static string? TokenOf(JsonDocument said) =>
        Text(said.RootElement, "token") is { Length: > 0 and <= 4096 } token && token.All(static letter => letter is > ' ' and < '\x7f' and not '"' and not '\\') ? token : null;

    public static KoofrFile FileOf(JsonElement said)
    {
        string type = Text(said, "type") ?? throw new JsonException("a file without a type");
        string? hash = Text(said, "hash")?.ToLowerInvariant();
        return new KoofrFile(
            Text(said, "name") ?? throw new JsonException("a file without a name"),
            type == "file",
            type == "file" ? Number(said, "size") ?? throw new JsonException("a file without a size") : 0,
            string.IsNullOrEmpty(hash) ? null : hash);
    }

    /// <summary>The files of a folder: <c>{"files": [...]}</c>.</summary>
    public static IReadOnlyList<KoofrFile> FilesOf(JsonDocument said) => [.. Items(said, "files").Select(FileOf)];

    /// <summary>The mounts of an account: <c>{"places": [...]}</c>.</summary>
    public static IReadOnlyList<KoofrMount> MountsOf(JsonDocument said) => [.. Items(said, "places").Select(MountOf)];

    public static KoofrMount MountOf(JsonElement said) => new(
        Text(said, "id") ?? throw new JsonException("a mount without an id"),
        Text(said, "name") ?? "",
        said.TryGetProperty("isPrimary", out JsonElement isPrimary) && isPrimary.ValueKind == JsonValueKind.True,
        Number(said, "spaceTotal") is > 0 and < long.MaxValue / MiB and { } total && Number(said, "spaceUsed") is >= 0 and { } used
            ? new StoreSpace(total * MiB, Math.Max(0, total - used) * MiB)
            : null);

    /// <summary>One line of a recursive listing: the path below what was listed, and what is there; null for a kind of line that is not known.</summary>
    public static (string Path, KoofrFile File)? ListedOf(string line, KoofrPlace place)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement said = document.RootElement;
        switch (Text(said, "type"))
        {
            case "file":
                return (Text(said, "path") ?? throw new JsonException("a line without a path"), said.TryGetProperty("file", out JsonElement file) ? FileOf(file) : throw new JsonException("a line without a file"));
            case "error":
                KoofrError? error = said.TryGetProperty("error", out JsonElement what) ? ErrorOf(what) : null;
                throw new StoreException(StoreErrorKind.Failed, isTransient: true, $"{place} could not list all ({error?.Code}: {error?.Message})");
            case null:
                throw new JsonException("a line that does not say what it is");
            default:
                return null;
        }
    }

    public static string? Text(JsonElement said, string name) =>
        said.ValueKind == JsonValueKind.Object && said.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static KoofrError? ErrorOf(JsonElement error) => Text(error, "code") is { } code
        ? new KoofrError(Line(code), Line(Text(error, "message") ?? ""))
        : null;

    private static string Line(string text) => string.Concat(text.Take(SaidMax).Where(static letter => !char.IsControl(letter)));

    private static JsonElement.ArrayEnumerator Items(JsonDocument said, string name) =>
        said.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty(name, out JsonElement items) && items.ValueKind == JsonValueKind.Array
            ? items.EnumerateArray()
            : throw new JsonException($"an answer without {name}");

    private static long? Number(JsonElement said, string name) =>
        said.ValueKind == JsonValueKind.Object && said.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : null;
}
