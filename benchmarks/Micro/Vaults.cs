using System.Text;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Vault.Keys;

namespace Drive.Micro;

/// <summary>Keys of a vault that exists only here, and bytes of three kinds.</summary>
internal static class Vaults
{
    public static VaultKeys MakeKeys()
    {
        CreateVaultOptions options = new() { DeviceName = "micro" };
        return VaultSetup.CreateAsync(new MemoryStore(), options, TimeProvider.System, new SeededRandom(1), CancellationToken.None).GetAwaiter().GetResult().Keys;
    }

    /// <summary>Bytes that do not compress.</summary>
    public static byte[] Noise(int length)
    {
        byte[] bytes = new byte[length];
        new Random(1).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Bytes that compress as source text does.</summary>
    public static byte[] Text(int length)
    {
        string[] words = ["public", "static", "return", "value", "index", "buffer", "if (", ")", "{", "}", ";", "offset", "length", "await", "node", "\n        "];
        Random random = new(1);
        StringBuilder text = new(length + 32);
        while (text.Length < length)
        {
            text.Append(words[random.Next(words.Length)]).Append(' ').Append(random.Next(6) == 0 ? random.Next(1000) : "");
        }

        return Encoding.ASCII.GetBytes(text.ToString(0, length));
    }
}
