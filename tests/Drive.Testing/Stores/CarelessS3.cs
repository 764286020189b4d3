using Amazon.S3;
using Amazon.S3.Model;

namespace Drive.Testing.Stores;

/// <summary>
/// S3 servers of the npm registry that ignore <c>If-None-Match</c>, so that a refusal can be seen. They are used where they are installed (<c>npm install -g s3rver fauxqs</c>,
/// or their <c>node_modules/.bin</c> in PATH).
/// </summary>
public sealed class CarelessS3 : LocalServer
{
    // What s3rver knows; fauxqs takes any.
    private const string Key = "S3RVER";
    private const string Bucket = "drive";

    private (string? Id, string? Secret) _before;

    private CarelessS3(string program)
        : base(program)
    {
    }

    /// <summary>The URL of an empty bucket.</summary>
    public string Url { get; private set; } = "";

    /// <summary>Starts a server and makes the credentials of this process those that it knows, until it is disposed of.</summary>
    public static async Task<CarelessS3> StartAsync(string program)
    {
        CarelessS3 server = new(program);
        int port = FreePorts(1)[0];
        if (program == "s3rver")
        {
            server.Start(program, "-d", Directory.CreateDirectory(server.At("data")).FullName, "-a", "127.0.0.1", "-p", $"{port}", "--no-vhost-buckets");
        }
        else
        {
            // It has no option for the address, and would listen on all.
            await File.WriteAllTextAsync(server.At("loopback.cjs"), """
                const { Server } = require('net');
                const listen = Server.prototype.listen;
                Server.prototype.listen = function (where, ...rest) {
                  return typeof where === 'object' ? listen.call(this, { ...where, host: '127.0.0.1' }, ...rest) : listen.call(this, where, '127.0.0.1', ...rest.filter(one => typeof one === 'function'));
                };
                """);
            server.Start("env", $"FAUXQS_PORT={port}", "node", "-r", server.At("loopback.cjs"), Find(program)!);
        }

        Uri endpoint = new($"http://127.0.0.1:{port}/");
        await server.AwaitAnswerAsync(endpoint);
        using AmazonS3Client client = new(Key, Key, new AmazonS3Config { ServiceURL = endpoint.AbsoluteUri, ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
        await client.PutBucketAsync(new PutBucketRequest { BucketName = Bucket });
        server.Url = $"s3://{Bucket}?endpoint=http://127.0.0.1:{port}";
        server._before = (Environment.GetEnvironmentVariable("AWS_ACCESS_KEY_ID"), Environment.GetEnvironmentVariable("AWS_SECRET_ACCESS_KEY"));
        SetCredentials(Key, Key);
        return server;
    }

    public override ValueTask DisposeAsync()
    {
        SetCredentials(_before.Id, _before.Secret);
        return base.DisposeAsync();
    }

    private static void SetCredentials(string? id, string? secret)
    {
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", id);
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", secret);
    }
}

/// <summary>A test that needs programs of servers; one that is missing is named by the skip.</summary>
public sealed class NeedsServerFactAttribute : FactAttribute
{
    public NeedsServerFactAttribute(string program) => Skip = LocalServer.Find(program) is null ? $"{program} is not installed (npm install -g {program})" : null;
}
