using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Amazon.S3;
using Amazon.S3.Model;
using Drive.Core.Stores;
using Drive.Stores.Http;

namespace Drive.Stores.S3;

/// <summary>
/// Objects in a bucket. Made only if absent by a conditional PUT (<c>If-None-Match: *</c>), which the server must keep: one that ignores it is no place for a log.
/// Credentials come from the environment, else from the login that is kept, else from the rest of the AWS chain (profile, instance). Every call is one try.
/// </summary>
internal sealed class S3Store : IObjectStore
{
    /// <summary>Beyond it an object goes up in parts, each of half that.</summary>
    private const int WholeMax = 32 << 20;
    private const int PartBytes = 16 << 20;
    private const string Anything = "*";
    private const string NoSuchBucket = "NoSuchBucket";

    // Retries are the wrapper's business.
    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(100);

    private readonly AmazonS3Client _client;
    private readonly S3Connections _connections;
    private readonly S3Place _place;
    private readonly TimeProvider _time;
    private readonly string _prefix;

    private S3Store(AmazonS3Client client, S3Connections connections, S3Place place, TimeProvider time)
    {
        _client = client;
        _connections = connections;
        _place = place;
        _time = time;
        _prefix = place.Prefix.Length == 0 ? "" : place.Prefix + "/";
    }

    public StoreDescription Description => _place.Description;

    /// <summary>The store; nothing is asked yet.</summary>
    public static S3Store Open(S3Place place, StoreLogin? login, TimeProvider time)
    {
        S3Connections connections = new(time);
        AmazonS3Config config = new()
        {
            HttpClientFactory = connections,
            Timeout = Timeout.InfiniteTimeSpan,
            ForcePathStyle = place.IsPathStyle,
            MaxErrorRetry = 0,
            RequestChecksumCalculation = Amazon.Runtime.RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = Amazon.Runtime.ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (place.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.GetLeftPart(UriPartial.Authority);
            config.AuthenticationRegion = place.Region ?? "us-east-1";
        }
        else if (place.Region is { } region)
        {
            config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(region);
        }
        else if (config.RegionEndpoint is null)
        {
            throw new StoreException(StoreErrorKind.Denied, isTransient: false, $"No region is known for {place}: add ?region=NAME, or set AWS_REGION.");
        }

        try
        {
            AmazonS3Client client = login is { User: { } id } && !IsNamedInEnvironment() ? new AmazonS3Client(id, login.Secret, config) : new AmazonS3Client(config);
            return new S3Store(client, connections, place, time);
        }
        catch (Amazon.Runtime.AmazonClientException error)
        {
            connections.Dispose();
            throw S3Errors.From(error, place);
        }
    }

    // Who says in the environment which credentials are meant is not overruled by a login that is kept.
    private static bool IsNamedInEnvironment() =>
        Environment.GetEnvironmentVariable("AWS_ACCESS_KEY_ID") is { Length: > 0 } || Environment.GetEnvironmentVariable("AWS_PROFILE") is { Length: > 0 };

    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => GuardAsync(async token =>
    {
        try
        {
            if (content.Length > WholeMax)
            {
                await PutInPartsAsync(KeyOf(name), content, token);
            }
            else
            {
                using MemoryStream body = Read(content);
                await _client.PutObjectAsync(new PutObjectRequest { BucketName = _place.Bucket, Key = KeyOf(name), InputStream = body, IfNoneMatch = Anything, UseChunkEncoding = false }, token);
            }

            return true;
        }
        catch (AmazonS3Exception taken) when (taken.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            return false;
        }
    }, cancellationToken);

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) => GuardAsync<byte[]?>(async token =>
    {
        using GetObjectResponse? response = await FindAsync(new GetObjectRequest { BucketName = _place.Bucket, Key = KeyOf(name) }, token);
        if (response is null)
        {
            return null;
        }

        if (response.ContentLength > bytesMax)
        {
            throw StoreErrors.TooLarge(name, response.ContentLength, bytesMax);
        }

        byte[] content = new byte[response.ContentLength];
        await FillAsync(name, response, content, token);
        return content;
    }, cancellationToken);

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return new(GuardAsync<int?>(async token =>
        {
            if (destination.IsEmpty)
            {
                return await GetLengthOrNullAsync(name, token) is null ? null : 0;
            }

            GetObjectRequest request = new() { BucketName = _place.Bucket, Key = KeyOf(name), ByteRange = new ByteRange(offset, offset + destination.Length - 1) };
            try
            {
                using GetObjectResponse? response = await FindAsync(request, token);
                if (response is null)
                {
                    return null;
                }

                // A server that does not know ranges answers with the whole object.
                string range = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"bytes {offset}-");
                if (response.ContentLength > destination.Length || response.ContentRange?.StartsWith(range, StringComparison.Ordinal) != true)
                {
                    throw new StoreException(StoreErrorKind.Malformed, isTransient: false, $"{_place} gave another part of {name} than was asked for: it does not know byte ranges.");
                }

                int length = (int)response.ContentLength;
                await FillAsync(name, response, destination[..length], token);
                return length;
            }
            catch (AmazonS3Exception beyond) when (beyond.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            {
                return 0;
            }
        }, cancellationToken));
    }

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) => GuardAsync(token => GetLengthOrNullAsync(name, token), cancellationToken);

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) => GuardAsync(async token =>
    {
        try
        {
            await _client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = _place.Bucket, Key = KeyOf(name) }, token);
        }
        catch (AmazonS3Exception absent) when (IsAbsent(absent))
        {
            // As it should be.
        }

        return true;
    }, cancellationToken);

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ListObjectsV2Request request = new() { BucketName = _place.Bucket, Prefix = _prefix + prefix };
        do
        {
            ListObjectsV2Response page = await GuardAsync(token => _client.ListObjectsV2Async(request, token), cancellationToken);
            foreach (S3Object found in page.S3Objects ?? [])
            {
                // What has another kind of name is not ours.
                if (found.Key.StartsWith(_prefix, StringComparison.Ordinal) && ObjectName.IsValid(found.Key.AsSpan(_prefix.Length)))
                {
                    yield return new ObjectInfo(new ObjectName(found.Key[_prefix.Length..]), found.Size ?? 0);
                }
            }

            request.ContinuationToken = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (request.ContinuationToken is not null);
    }

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => Task.FromResult<StoreSpace?>(null);

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _connections.Dispose();
        return ValueTask.CompletedTask;
    }

    private string KeyOf(ObjectName name) => _prefix + name.Value;

    private async Task PutInPartsAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string upload = (await _client.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest { BucketName = _place.Bucket, Key = key }, cancellationToken)).UploadId;
        try
        {
            List<PartETag> parts = [];
            for (int offset = 0; offset < content.Length; offset += PartBytes)
            {
                using MemoryStream body = Read(content.Slice(offset, Math.Min(PartBytes, content.Length - offset)));
                UploadPartRequest part = new()
                {
                    BucketName = _place.Bucket,
                    Key = key,
                    UploadId = upload,
                    PartNumber = parts.Count + 1,
                    InputStream = body,
                    PartSize = body.Length,
                    UseChunkEncoding = false,
                };
                parts.Add(new PartETag(parts.Count + 1, (await _client.UploadPartAsync(part, cancellationToken)).ETag));
            }

            await _client.CompleteMultipartUploadAsync(
                new CompleteMultipartUploadRequest { BucketName = _place.Bucket, Key = key, UploadId = upload, PartETags = parts, IfNoneMatch = Anything }, cancellationToken);
        }
        catch
        {
            try
            {
                // Parts that nobody completes are paid for. If this fails too, the bucket's own rule for unfinished uploads removes them.
                await _client.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = _place.Bucket, Key = key, UploadId = upload }, CancellationToken.None);
            }
            catch (Exception error) when (S3Errors.IsKnown(error) || error is OperationCanceledException)
            {
                // What went wrong first is what counts.
            }

            throw;
        }
    }

    /// <summary>The object, or null when the server said that this key, in a bucket that is there, is absent.</summary>
    private async Task<GetObjectResponse?> FindAsync(GetObjectRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await _client.GetObjectAsync(request, cancellationToken);
        }
        catch (AmazonS3Exception absent) when (IsAbsent(absent))
        {
            return null;
        }
    }

    private async Task<long?> GetLengthOrNullAsync(ObjectName name, CancellationToken cancellationToken)
    {
        try
        {
            return (await _client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = _place.Bucket, Key = KeyOf(name) }, cancellationToken)).ContentLength;
        }
        catch (AmazonS3Exception absent) when (absent.StatusCode == HttpStatusCode.NotFound)
        {
            // An answer to HEAD has no body, so it cannot say what is absent: the object, or the whole bucket.
            using GetObjectResponse? there = await FindAsync(new GetObjectRequest { BucketName = _place.Bucket, Key = KeyOf(name) }, cancellationToken);
            return there?.ContentLength;
        }
    }

    private static bool IsAbsent(AmazonS3Exception error) => error.StatusCode == HttpStatusCode.NotFound && error.ErrorCode != NoSuchBucket;

    private async Task FillAsync(ObjectName name, GetObjectResponse response, Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            await response.ResponseStream.ReadExactlyAsync(destination, cancellationToken);
        }
        catch (EndOfStreamException error)
        {
            throw new StoreException(StoreErrorKind.Unreachable, isTransient: true, $"{_place} ended its answer within {name}.", error);
        }
    }

    private static MemoryStream Read(ReadOnlyMemory<byte> content) => MemoryMarshal.TryGetArray(content, out ArraySegment<byte> bytes)
        ? new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false)
        : new MemoryStream(content.ToArray(), writable: false);

    private Task<T> GuardAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken) => CallLimit.WithinAsync(
        CallTime, _time, call, error => error is OperationCanceledException || S3Errors.IsKnown(error) ? S3Errors.From(error, _place) : null, cancellationToken);
}
