using Drive.Core.Platform;
using Drive.Core.Stores;

namespace Drive.Stores.S3;

/// <summary>A bucket, or a part of it, that speaks S3: <c>s3://bucket/prefix?endpoint=https://host&amp;region=name&amp;style=path</c>.</summary>
/// <param name="Bucket">The bucket's name.</param>
/// <param name="Prefix">What all keys begin with, without slashes at its ends; empty for the whole bucket.</param>
/// <param name="Endpoint">The server; null for Amazon's own.</param>
/// <param name="Region">The region to sign for; null for what the environment says.</param>
/// <param name="IsPathStyle">Whether the bucket stands in the path of a request and not in the host's name.</param>
public sealed record S3Place(string Bucket, string Prefix, Uri? Endpoint, string? Region, bool IsPathStyle) : StorePlace
{
    internal const string Scheme = "s3";
    private const string Usage = "write s3://bucket/prefix, and behind it, as far as needed, ?endpoint=https://host&region=name&style=path";

    /// <inheritdoc/>
    public override StoreDescription Description => new(ToString(), IsLocal: false);

    /// <inheritdoc/>
    public override LoginForm? Login => new((this with { Region = null }).ToString(), "Access key id", "Secret access key");

    /// <inheritdoc/>
    public override IObjectStore Open(bool create, IDisk disk, TimeProvider time, IRandomSource random) => S3Store.Open(this, null, time);

    /// <inheritdoc/>
    public override IObjectStore Open(StoreLogin? login, bool create, IDisk disk, TimeProvider time, IRandomSource random) => S3Store.Open(this, login, time);

    /// <inheritdoc/>
    public override string ToString()
    {
        List<string> query = [];
        if (Endpoint is not null)
        {
            query.Add($"endpoint={Endpoint.GetLeftPart(UriPartial.Authority)}");
        }

        if (Region is not null)
        {
            query.Add($"region={Region}");
        }

        if (IsPathStyle != Endpoint is not null)
        {
            query.Add(IsPathStyle ? "style=path" : "style=virtual");
        }

        string path = Prefix.Length == 0 ? "" : "/" + Prefix;
        return $"{Scheme}://{Bucket}{path}{(query.Count == 0 ? "" : "?")}{string.Join('&', query)}";
    }

    /// <summary>From what follows "s3://". <see cref="ArgumentException"/> with one line when it makes no sense.</summary>
    internal static new S3Place Parse(string rest)
    {
        int question = rest.IndexOf('?', StringComparison.Ordinal);
        string path = question < 0 ? rest : rest[..question];
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        string bucket = slash < 0 ? path : path[..slash];
        string prefix = slash < 0 ? "" : path[slash..].Trim('/');
        if (bucket.Length is < 3 or > 63 || bucket.AsSpan().IndexOfAnyExcept(BucketCharacters) >= 0)
        {
            throw new ArgumentException($"'{bucket}' is no bucket (3 to 63 of a-z 0-9 - .): {Usage}.");
        }

        if (prefix.Length > 0 && !ObjectName.IsValid(prefix))
        {
            throw new ArgumentException($"'{prefix}' cannot be a prefix here: use up to {ObjectName.CharactersMax} of a-z 0-9 - . and / between parts.");
        }

        (Uri? endpoint, string? region, bool? isPathStyle) = (null, null, null);
        foreach (string part in question < 0 ? [] : rest[(question + 1)..].Split('&'))
        {
            int sign = part.IndexOf('=', StringComparison.Ordinal);
            string value = part[(sign + 1)..];
            switch (sign < 0 ? "" : part[..sign])
            {
                case "endpoint" when endpoint is null && Uri.TryCreate(value, UriKind.Absolute, out Uri? server) && server.Scheme is "http" or "https" && server.PathAndQuery == "/":
                    endpoint = server;
                    break;
                case "region" when region is null && value.Length > 0:
                    region = value;
                    break;
                case "style" when isPathStyle is null && value is "path" or "virtual":
                    isPathStyle = value == "path";
                    break;
                default:
                    throw new ArgumentException($"'{part}' says nothing about an S3 store, or not twice: {Usage}.");
            }
        }

        // Amazon wants the bucket in the host's name; other servers seldom have a name for each bucket.
        return new S3Place(bucket, prefix, endpoint, region, isPathStyle ?? endpoint is not null);
    }

    private static readonly System.Buffers.SearchValues<char> BucketCharacters = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-.");
}
