using System.Net;
using System.Net.Http.Headers;
using Drive.Core.Stores;

namespace Drive.Stores.Http;

/// <summary>Reads an object, or a part of it, from an answer, and checks that the answer is what was asked for.</summary>
internal static class ObjectBody
{
    /// <summary>All of it. Not every server says the length of an empty object.</summary>
    public static async Task<byte[]> ReadAllAsync(HttpResponseMessage answer, string name, int bytesMax, CancellationToken cancellationToken)
    {
        if (answer.Content.Headers.ContentLength is { } length && length > bytesMax)
        {
            throw TooLarge(name, length, bytesMax);
        }

        await using Stream body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        byte[] content = new byte[answer.Content.Headers.ContentLength ?? bytesMax];
        int read = await body.ReadAtLeastAsync(content, content.Length, throwOnEndOfStream: false, cancellationToken);
        if (read < answer.Content.Headers.ContentLength)
        {
            throw new EndOfStreamException($"the answer ended within {name}");
        }

        return await body.ReadAsync(new byte[1], cancellationToken) > 0 ? throw TooLarge(name, read + 1, bytesMax) : content.AsSpan(0, read).ToArray();
    }

    /// <summary>
    /// A part: the number of bytes, fewer only at the object's end. A server that knows no ranges sends the whole object, of which the part is taken.
    /// <see cref="StoreException"/> when it sends another part.
    /// </summary>
    public static async Task<int> ReadRangeAsync(HttpResponseMessage answer, string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (answer.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return 0;
        }

        await using Stream body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        if (answer.StatusCode == HttpStatusCode.PartialContent)
        {
            int length = LengthOf(answer.Content.Headers, name, offset, destination.Length);
            await body.ReadExactlyAsync(destination[..length], cancellationToken);
            return length;
        }

        byte[] skipped = new byte[64 << 10];
        for (long left = offset; left > 0;)
        {
            int read = await body.ReadAsync(skipped.AsMemory(0, (int)Math.Min(left, skipped.Length)), cancellationToken);
            if (read == 0)
            {
                return 0;
            }

            left -= read;
        }

        return await body.ReadAtLeastAsync(destination, destination.Length, throwOnEndOfStream: false, cancellationToken);
    }

    private static int LengthOf(HttpContentHeaders headers, string name, long offset, int asked)
    {
        if (headers.ContentRange is { Unit: "bytes", From: { } from, To: { } to } range && from == offset && to >= from && to - from < asked)
        {
            long length = to - from + 1;
            bool isWhole = length == asked || range.Length is null || to + 1 == range.Length;
            if (isWhole && (headers.ContentLength ?? length) == length)
            {
                return (int)length;
            }
        }

        throw new StoreException(
            StoreErrorKind.Malformed, isTransient: false, $"The server gave another part of {name} than was asked for ({headers.ContentRange?.ToString() ?? "without saying which"}): it does not know byte ranges.");
    }

    private static StoreException TooLarge(string name, long length, int bytesMax) =>
        new(StoreErrorKind.TooLarge, isTransient: false, $"{name} has {length} bytes or more, at most {bytesMax} were expected.");
}
