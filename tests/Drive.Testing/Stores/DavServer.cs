using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Drive.Testing.Stores;

/// <summary>The WebDAV servers that tests start.</summary>
public enum DavKind
{
    Lighttpd,

    /// <summary>lighttpd with four processes.</summary>
    LighttpdWorkers,
    Apache,
    Nginx,
    Rclone,
}

/// <summary>A real WebDAV server on loopback, over a temporary directory.</summary>
public sealed class DavServer : LocalServer
{
    public const string User = "ann";
    public const string Password = "a secret: of ann";
    private const string Realm = "drive";

    private int _folders;

    private DavServer(DavKind kind)
        : base(kind.ToString().ToLowerInvariant())
    {
    }

    /// <summary>"http://127.0.0.1:port/", with everything below it open to anybody.</summary>
    public Uri Open { get; private set; } = null!;

    /// <summary>The same over TLS, with a certificate of its own. Apache only; "basic/" and "digest/" below either ask who signs in.</summary>
    public Uri Secure { get; private set; } = null!;

    /// <summary>What to trust for <see cref="Secure"/>: a file of certificates.</summary>
    public string CertificateFile => At("certificate.pem");

    /// <summary>The folder on this machine that the server shows.</summary>
    public string Shown => At("dav");

    /// <summary>Why such a server cannot run here; null when it can.</summary>
    public static string? Missing(DavKind kind)
    {
        (string program, string? module, string packages) = kind switch
        {
            DavKind.Lighttpd or DavKind.LighttpdWorkers => ("lighttpd", "/usr/lib/lighttpd/mod_webdav.so", "lighttpd lighttpd-mod-webdav"),
            DavKind.Apache => ("apache2", "/usr/lib/apache2/modules/mod_dav_fs.so", "apache2"),
            DavKind.Nginx => ("nginx", "/usr/lib/nginx/modules/ngx_http_dav_ext_module.so", "nginx libnginx-mod-http-dav-ext"),
            _ => ("rclone", null, "rclone"),
        };
        return Find(program) is null || (module is not null && !File.Exists(module)) ? $"{program} with WebDAV is not installed (apt install {packages})" : null;
    }

    public static async Task<DavServer> StartAsync(DavKind kind)
    {
        DavServer server = new(kind);
        int[] ports = FreePorts(2);
        server.Open = new Uri($"http://127.0.0.1:{ports[0]}/");
        server.Secure = new Uri($"https://localhost:{ports[1]}/");
        foreach (string folder in new[] { "dav", "dav/basic", "dav/digest", "run" })
        {
            // Apache and nginx change to a user of their own when root starts them.
            File.SetUnixFileMode(Directory.CreateDirectory(server.At(folder)).FullName, (UnixFileMode)0x1FF);
        }

        File.SetUnixFileMode(server.Folder, (UnixFileMode)0x1FF);
        switch (kind)
        {
            case DavKind.Lighttpd or DavKind.LighttpdWorkers:
                await File.WriteAllTextAsync(server.At("conf"), server.Lighttpd(ports[0], kind == DavKind.Lighttpd ? 0 : 4));
                server.Start("lighttpd", "-D", "-f", server.At("conf"));
                break;
            case DavKind.Apache:
                await server.WriteSecretsAsync();
                await File.WriteAllTextAsync(server.At("conf"), server.Apache(ports));
                server.Start("apache2", "-DFOREGROUND", "-f", server.At("conf"));
                break;
            case DavKind.Nginx:
                await File.WriteAllTextAsync(server.At("conf"), server.Nginx(ports[0]));
                server.Start("nginx", "-c", server.At("conf"), "-e", server.At("run/error.log"));
                break;
            default:
                server.Start("rclone", "--config", server.At("none"), "serve", "webdav", server.Shown, "--addr", $"127.0.0.1:{ports[0]}");
                break;
        }

        try
        {
            await server.AwaitAnswerAsync(server.Open);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>A folder of the server that is not there yet, as the URL of a store.</summary>
    public string NewFolder(string below = "", bool isSecure = false) =>
        (isSecure ? Secure : Open).AbsoluteUri.Replace("http", "dav", StringComparison.Ordinal) + $"{below}vault-{Interlocked.Increment(ref _folders)}";

    private string Lighttpd(int port, int workers) => $"""
        server.modules = ("mod_webdav")
        server.bind = "127.0.0.1"
        server.port = {port}
        server.max-worker = {workers}
        server.document-root = "{Shown}"
        server.errorlog = "{At("run/error.log")}"
        server.upload-dirs = ("{At("run")}")
        webdav.activate = "enable"
        webdav.is-readonly = "disable"
        webdav.sqlite-db-name = "{At("run/dav.db")}"

        """;

    private string Nginx(int port) => $$"""
        load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
        {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
        daemon off;
        pid {{At("run/pid")}};
        worker_processes 2;
        events { worker_connections 256; }
        http {
          access_log off;
          client_body_temp_path {{At("run/body")}}; proxy_temp_path {{At("run/p")}}; fastcgi_temp_path {{At("run/f")}}; uwsgi_temp_path {{At("run/u")}}; scgi_temp_path {{At("run/s")}};
          server {
            listen 127.0.0.1:{{port}}; root {{Shown}}; client_max_body_size 0;
            location / { dav_methods PUT DELETE MKCOL COPY MOVE; dav_ext_methods PROPFIND OPTIONS; dav_access user:rw; }
          }
        }

        """;

    private string Apache(int[] ports) => $"""
        ServerRoot {Folder}
        ServerName localhost
        PidFile {At("run/pid")}
        DefaultRuntimeDir {At("run")}
        Listen 127.0.0.1:{ports[0]}
        Listen 127.0.0.1:{ports[1]}
        {string.Concat(new[] { "mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "auth_digest", "dir", "mime", "ssl", "dav", "dav_fs" }
            .Select(static module => $"LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n"))}
        User www-data
        Group www-data
        TypesConfig /dev/null
        ErrorLog {At("run/error.log")}
        DavLockDB {At("run/DavLock")}
        DocumentRoot {Shown}
        <Directory {Shown}>
          Dav On
          DirectoryIndex disabled
          Require all granted
        </Directory>
        <Directory {Shown}/basic>
          AuthType Basic
          AuthName {Realm}
          AuthUserFile {At("basic")}
          Require valid-user
        </Directory>
        <Directory {Shown}/digest>
          AuthType Digest
          AuthName {Realm}
          AuthDigestProvider file
          AuthUserFile {At("digest")}
          Require valid-user
        </Directory>
        <VirtualHost 127.0.0.1:{ports[1]}>
          DocumentRoot {Shown}
          SSLEngine on
          SSLCertificateFile {CertificateFile}
          SSLCertificateKeyFile {At("key.pem")}
        </VirtualHost>

        """;

    /// <summary>From the next request on the user's password is another. Apache only.</summary>
    public async Task SetPasswordAsync(string password)
    {
#pragma warning disable CA5350, CA5351 // What these files are made of was not our choice.
        await File.WriteAllTextAsync(At("basic"), $"{User}:{{SHA}}{Convert.ToBase64String(SHA1.HashData(Encoding.UTF8.GetBytes(password)))}\n");
        await File.WriteAllTextAsync(At("digest"), $"{User}:{Realm}:{Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes($"{User}:{Realm}:{password}")))}\n");
#pragma warning restore CA5350, CA5351
    }

    private async Task WriteSecretsAsync()
    {
        await SetPasswordAsync(Password);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        await File.WriteAllTextAsync(CertificateFile, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(At("key.pem"), key.ExportPkcs8PrivateKeyPem());
    }
}

/// <summary>The WebDAV servers of a test class, each started when it is first wanted.</summary>
public sealed class DavServers : IAsyncLifetime
{
    private readonly Dictionary<DavKind, Lazy<Task<DavServer>>> _servers =
        Enum.GetValues<DavKind>().ToDictionary(static kind => kind, static kind => new Lazy<Task<DavServer>>(() => DavServer.StartAsync(kind)));

    public Task<DavServer> GetAsync(DavKind kind) => _servers[kind].Value;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (Lazy<Task<DavServer>> started in _servers.Values.Where(static server => server.IsValueCreated))
        {
            await (await started.Value).DisposeAsync();
        }
    }
}

/// <summary>A test that needs a WebDAV server; without its program it says so.</summary>
public sealed class DavFactAttribute : FactAttribute
{
    public DavFactAttribute(DavKind kind) => Skip = DavServer.Missing(kind);
}

/// <summary>As <see cref="DavFactAttribute"/>, with rows.</summary>
public sealed class DavTheoryAttribute : TheoryAttribute
{
    public DavTheoryAttribute(DavKind kind) => Skip = DavServer.Missing(kind);
}
