using Drive.Control;

namespace Drive.Service.Keys;

/// <summary>
/// The least that is asked of a passphrase that opens a vault alone: whoever has the store can try them for years. It keeps the worst out, and does not measure; six words
/// drawn by dice are far above it.
/// </summary>
public static class PassphraseStrength
{
    // Arbitrary, and easy to say.
    private const int CharactersMin = 20;
    private const int DifferentMin = 10;

    /// <summary>Refuses one that is too short or too plain.</summary>
    public static void RequireForAlone(string passphrase)
    {
        ArgumentNullException.ThrowIfNull(passphrase);
        if (passphrase.Length < CharactersMin || passphrase.Distinct().Count() < DifferentMin)
        {
            throw new DriveException(
                DriveError.WrongSecret,
                $"A passphrase that opens the vault without the account key has at least {CharactersMin} characters, {DifferentMin} different ones among them: take six random words, or leave --without-account-key out.");
        }
    }
}
