using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Drive.Core.Platform;

namespace Drive.Server.Hosting;

/// <summary>The certificate that a server shows, and those between it and an authority.</summary>
internal sealed record ServerCertificate(X509Certificate2 Certificate, X509Certificate2Collection Chain) : IDisposable
{
    // What is pinned does not run out before the machine does.
    private const int Years = 20;

    /// <summary>What a client pins: the SHA-256 of the certificate.</summary>
    public string Fingerprint => Certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant();

    /// <summary>From PEM files. <see cref="ServerException"/> when they are none.</summary>
    public static ServerCertificate Load(string certificate, string key)
    {
        try
        {
            X509Certificate2Collection chain = [];
            chain.ImportFromPemFile(certificate);
            return new ServerCertificate(X509Certificate2.CreateFromPemFile(certificate, key), chain);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ServerException(ServerError.Usage, $"'{certificate}' and '{key}' cannot be used: give a certificate and its key as PEM. ({exception.Message})", exception);
        }
    }

    /// <summary>The server's own, made and kept (mode 0600, with its key) when there is none yet.</summary>
    public static ServerCertificate OfItsOwn(IDisk disk, string directory, TimeProvider time)
    {
        string path = Path.Combine(directory, "certificate.pem");
        if (DurableFile.Read(disk, path) is not { } content)
        {
            content = Make(time);
            DurableFile.Replace(disk, path, content);
        }

        string pem = Encoding.ASCII.GetString(content);
        return new ServerCertificate(X509Certificate2.CreateFromPem(pem, pem), []);
    }

    public void Dispose()
    {
        Certificate.Dispose();
        foreach (X509Certificate2 between in Chain)
        {
            between.Dispose();
        }
    }

    private static byte[] Make(TimeProvider time)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=drive", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        names.AddDnsName(Dns.GetHostName());
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));

        // A clock that is a little behind must not make it invalid.
        DateTimeOffset now = time.GetUtcNow();
        using X509Certificate2 made = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(Years));
        return Encoding.ASCII.GetBytes($"{made.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
    }
}
