using System.Security.Cryptography;

namespace Drive.Vault.Keys;

/// <summary>How many rounds of PBKDF2-HMAC-SHA512 a passphrase costs.</summary>
public static class PassphraseCost
{
    /// <summary>Fewer are never written, and never accepted: a store can't talk a device down.</summary>
    public const int IterationsMin = 210_000;

    /// <summary>More are refused, so that a changed slot can't keep a device busy for hours.</summary>
    public const int IterationsMax = 50_000_000;

    private const int SampleIterations = 20_000;

    /// <summary>The rounds that take about a second here, at least <see cref="IterationsMin"/>.</summary>
    public static int Calibrate(TimeProvider time)
    {
        long start = time.GetTimestamp();
        Rfc2898DeriveBytes.Pbkdf2("calibration"u8, "calibration"u8, SampleIterations, HashAlgorithmName.SHA512, 32);
        double seconds = time.GetElapsedTime(start).TotalSeconds;
        return seconds <= 0 ? IterationsMin : (int)Math.Clamp(SampleIterations / seconds, IterationsMin, IterationsMax);
    }
}
