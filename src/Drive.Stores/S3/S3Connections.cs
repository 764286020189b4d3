using Amazon.Runtime;
using Drive.Stores.Http;

namespace Drive.Stores.S3;

/// <summary>The connections of an S3 client, made by a <see cref="Wire"/>. Owned by the store: the SDK neither keeps nor disposes them.</summary>
internal sealed class S3Connections(TimeProvider time) : HttpClientFactory, IDisposable
{
    private readonly HttpClient _http = new(new Wire(time).NewHandler()) { Timeout = Timeout.InfiniteTimeSpan };

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => _http;

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public void Dispose() => _http.Dispose();
}
