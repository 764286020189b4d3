using Microsoft.Net.Http.Headers;

namespace Drive.Server.Requests;

/// <summary>The one range of a request (RFC 9110, 14.1.2), laid on an object.</summary>
internal static class ByteRange
{
    /// <summary>From a Range header. False: it is none, or more than one range, or one that makes no sense.</summary>
    public static bool TryParse(string header, out RangeItemHeaderValue range)
    {
        bool isOne = RangeHeaderValue.TryParse(header, out RangeHeaderValue? parsed) && parsed.Unit == "bytes" && parsed.Ranges.Count == 1;
        range = isOne ? parsed!.Ranges.Single() : new RangeItemHeaderValue(0, null);
        return isOne;
    }

    /// <summary>The bytes that the object has of it; null when there is none (416).</summary>
    public static (long Offset, long Count)? Within(RangeItemHeaderValue range, long length)
    {
        long offset = range.From ?? Math.Max(0, length - range.To!.Value);
        long end = range.From is null || range.To is null ? length : Math.Min(length, range.To.Value == long.MaxValue ? long.MaxValue : range.To.Value + 1);
        return offset < end ? (offset, end - offset) : null;
    }
}
