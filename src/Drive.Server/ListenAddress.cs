using System.Net;

namespace Drive.Server;

/// <summary>Where a server listens.</summary>
/// <param name="EndPoint">Address and port; port 0 for any that is free.</param>
/// <param name="IsTls">Whether over TLS. Without it only on this machine.</param>
public sealed record ListenAddress(IPEndPoint EndPoint, bool IsTls)
{
    /// <summary>From <c>https://0.0.0.0:8443</c> and the like. <see cref="ServerException"/> when it makes no sense.</summary>
    public static ListenAddress Parse(string url)
    {
        bool isUrl = Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.PathAndQuery == "/";
        if (!isUrl || AddressOf(uri!.DnsSafeHost) is not { } address)
        {
            throw new ServerException(ServerError.Usage, $"'{url}' is no address to listen on: write https://ADDRESS:PORT with an address of this machine, or https://0.0.0.0:8443.");
        }

        bool isTls = uri.Scheme == "https";
        return isTls || IPAddress.IsLoopback(address)
            ? new ListenAddress(new IPEndPoint(address, uri.Port), isTls)
            : throw new ServerException(ServerError.Usage, $"'{url}' would send tokens in the clear: http is for this machine only (127.0.0.1, [::1]); use https.");
    }

    public override string ToString() => $"{(IsTls ? "https" : "http")}://{EndPoint}";

    private static IPAddress? AddressOf(string host) => host == "localhost" ? IPAddress.Loopback : IPAddress.TryParse(host, out IPAddress? address) ? address : null;
}
