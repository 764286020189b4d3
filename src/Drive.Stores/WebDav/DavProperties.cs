using System.Globalization;
using System.Net;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Drive.Core.Stores;

namespace Drive.Stores.WebDav;

/// <summary>What a server tells of one resource.</summary>
/// <param name="Path">Its path on the server, unescaped, without a slash at its end.</param>
/// <param name="IsCollection">Whether it holds others.</param>
/// <param name="Length">Bytes of an object; 0 where the server is silent.</param>
/// <param name="Space">Room below it, where the server tells.</param>
internal sealed record DavResource(string Path, bool IsCollection, long Length, StoreSpace? Space);

/// <summary>Reads answers to PROPFIND (RFC 4918 §14; quota: RFC 4331). The text is the server's, so no DTD, no entities, and a limit.</summary>
internal static class DavProperties
{
    // A listing of half a million names (arbitrary).
    private const long CharactersMax = 256L << 20;

    private static readonly XNamespace Dav = "DAV:";
    private static readonly byte[] Question = Encoding.UTF8.GetBytes(
        """<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><quota-available-bytes/><quota-used-bytes/></prop></propfind>""");

    /// <summary>A question for a resource, and with <paramref name="depth"/> 1 for what it holds.</summary>
    public static HttpRequestMessage Request(Uri uri, int depth)
    {
        HttpRequestMessage request = new(DavClient.PropFind, uri) { Content = new ReadOnlyMemoryContent(Question) };
        request.Content.Headers.ContentType = new("application/xml", "utf-8");
        request.Headers.Add("Depth", depth.ToString(CultureInfo.InvariantCulture));
        return request;
    }

    /// <summary>The resources of an answer, those only that are there. <see cref="XmlException"/> when it is none.</summary>
    public static async Task<List<DavResource>> ReadAsync(Stream answer, Uri asked, CancellationToken cancellationToken)
    {
        XmlReaderSettings settings = new()
        {
            Async = true,
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
            IgnoreWhitespace = true,
            MaxCharactersInDocument = CharactersMax,
        };
        using XmlReader reader = XmlReader.Create(answer, settings);
        List<DavResource> found = [];
        await reader.MoveToContentAsync();
        if (reader.LocalName != "multistatus" || reader.NamespaceURI != Dav.NamespaceName)
        {
            throw new XmlException($"<{reader.Name}> in place of a WebDAV answer");
        }

        await reader.ReadAsync();
        while (!reader.EOF)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (reader.NodeType != XmlNodeType.Element)
            {
                await reader.ReadAsync();
            }
            else if (await XNode.ReadFromAsync(reader, cancellationToken) is XElement element && element.Name == Dav + "response" && Resource(element, asked) is { } resource)
            {
                found.Add(resource);
            }
        }

        return found;
    }

    private static DavResource? Resource(XElement response, Uri asked)
    {
        // A server behind another may call itself by another name: only the path counts.
        if (!Uri.TryCreate(asked, response.Element(Dav + "href")?.Value.Trim(), out Uri? uri) || !IsFine(response))
        {
            return null;
        }

        // Properties that a resource does not have come in a part with another status.
        XElement[] known = [.. response.Elements(Dav + "propstat").Where(IsFine).Elements(Dav + "prop")];
        bool isCollection = known.Elements(Dav + "resourcetype").Elements(Dav + "collection").Any();
        long? free = Number(known, "quota-available-bytes");
        long? used = Number(known, "quota-used-bytes");
        return new DavResource(
            PathOf(uri),
            isCollection,
            isCollection ? 0 : Number(known, "getcontentlength") ?? 0,
            free is { } left && used is { } taken && left <= long.MaxValue - taken ? new StoreSpace(left + taken, left) : null);
    }

    public static string PathOf(Uri uri) => Uri.UnescapeDataString(uri.AbsolutePath).TrimEnd('/');

    // "HTTP/1.1 200 OK"; without a status all is well.
    private static bool IsFine(XElement part) =>
        part.Element(Dav + "status")?.Value.Split(' ', 3) is not { Length: >= 2 } status || status[1] == ((int)HttpStatusCode.OK).ToString(CultureInfo.InvariantCulture);

    // Some servers say "unlimited" by a negative number: that tells nothing.
    private static long? Number(XElement[] known, string property) =>
        long.TryParse(known.Elements(Dav + property).FirstOrDefault()?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : null;
}
