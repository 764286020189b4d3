using System.Buffers;
using System.Text.Json;
using Drive.Core.Stores;

namespace Drive.Service.Settings;

/// <summary>
/// The settings file's JSON: <c>{"version": 1, "vaults": [{"name", "store", "logStore", "vaultId", "keys", "mountpoint", "cacheLimitBytes", "limitUp", "limitDown", "pollSeconds"}, …]}</c>. Read and written
/// token by token: a serializer's code would be compiled at run time, twice on the way to every mount.
/// </summary>
/// <param name="Version">Of the file's form; a newer one is refused, never rewritten.</param>
/// <param name="Vaults">Sorted by name.</param>
internal sealed record VaultFile(int Version, IReadOnlyList<VaultEntry> Vaults)
{
    /// <summary>The form that is written.</summary>
    public const int KnownVersion = 1;

    // A day: who wants to look more rarely than that unmounts.
    private const double PollSecondsMax = 86_400;

    private static readonly JsonWriterOptions Layout = new() { Indented = true };

    /// <summary>What a file says. <see cref="JsonException"/>: it is no JSON. <see cref="FormatException"/>: it is, and not of this form.</summary>
    public static VaultFile Parse(ReadOnlyMemory<byte> content)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(content);
            JsonElement root = document.RootElement;
            int version = root.GetProperty("version").GetInt32();
            if (version != KnownVersion)
            {
                // Another version may look different from here on.
                return new VaultFile(version, []);
            }

            List<VaultEntry> vaults = [];
            foreach (JsonElement vault in root.GetProperty("vaults").EnumerateArray())
            {
                vaults.Add(ParseEntry(vault));
            }

            return new VaultFile(version, vaults);
        }
        catch (Exception exception) when (exception is InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException("A property is missing or of another type.", exception);
        }
    }

    /// <summary>The file's bytes.</summary>
    public byte[] Encode()
    {
        ArrayBufferWriter<byte> bytes = new();
        using Utf8JsonWriter writer = new(bytes, Layout);
        writer.WriteStartObject();
        writer.WriteNumber("version", Version);
        writer.WriteStartArray("vaults");
        foreach (VaultEntry vault in Vaults)
        {
            Write(writer, vault);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    private static VaultEntry ParseEntry(JsonElement vault) => new()
    {
        Name = vault.GetProperty("name").GetString() ?? throw Missing(),
        Store = vault.GetProperty("store").GetString() ?? throw Missing(),
        LogStore = Optional(vault, "logStore")?.GetString(),
        VaultId = vault.GetProperty("vaultId").GetString() ?? throw Missing(),
        Keys = vault.GetProperty("keys").GetString() switch
        {
            nameof(KeyPlace.File) => KeyPlace.File,
            nameof(KeyPlace.Keyring) => KeyPlace.Keyring,
            nameof(KeyPlace.Passphrase) => KeyPlace.Passphrase,
            _ => throw new FormatException("The keys are kept in a way that is not known."),
        },
        Mountpoint = Optional(vault, "mountpoint")?.GetString(),
        CacheLimitBytes = Optional(vault, "cacheLimitBytes")?.GetInt64(),
        LimitUp = Limit(vault, "limitUp"),
        LimitDown = Limit(vault, "limitDown"),
        Poll = Optional(vault, "pollSeconds")?.GetDouble() is { } seconds
            ? seconds is > 0 and <= PollSecondsMax ? TimeSpan.FromSeconds(seconds) : throw new FormatException("An interval is none.")
            : null,
    };

    private static JsonElement? Optional(JsonElement vault, string name) =>
        vault.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static RateSchedule? Limit(JsonElement vault, string name) => Optional(vault, name)?.GetString() is { } text ? RateSchedule.ParseWritten(text) : null;

    private static void Write(Utf8JsonWriter writer, VaultEntry vault)
    {
        writer.WriteStartObject();
        writer.WriteString("name", vault.Name);
        writer.WriteString("store", vault.Store);
        if (vault.LogStore is { } logStore)
        {
            writer.WriteString("logStore", logStore);
        }

        writer.WriteString("vaultId", vault.VaultId);
        writer.WriteString("keys", vault.Keys switch
        {
            KeyPlace.File => nameof(KeyPlace.File),
            KeyPlace.Keyring => nameof(KeyPlace.Keyring),
            KeyPlace.Passphrase => nameof(KeyPlace.Passphrase),
            _ => throw new System.Diagnostics.UnreachableException(),
        });
        writer.WriteString("mountpoint", vault.Mountpoint);
        if (vault.CacheLimitBytes is { } limit)
        {
            writer.WriteNumber("cacheLimitBytes", limit);
        }

        Write(writer, "limitUp", vault.LimitUp);
        Write(writer, "limitDown", vault.LimitDown);
        if (vault.Poll is { } poll)
        {
            writer.WriteNumber("pollSeconds", poll.TotalSeconds);
        }

        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, RateSchedule? limit)
    {
        if (limit is not null)
        {
            writer.WriteString(name, limit.ToString());
        }
    }

    private static FormatException Missing() => new("A property is missing.");
}
