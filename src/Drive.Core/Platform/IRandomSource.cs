using System.Security.Cryptography;

namespace Drive.Core.Platform;

/// <summary>Where random bytes come from. Cryptographic quality in the product; seeded in simulations.</summary>
public interface IRandomSource
{
    /// <summary>Fills with random bytes.</summary>
    void Fill(Span<byte> destination);
}

/// <summary>The operating system's generator.</summary>
public sealed class SystemRandomSource : IRandomSource
{
    /// <summary>The one instance.</summary>
    public static SystemRandomSource Instance { get; } = new();

    /// <inheritdoc/>
    public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}
