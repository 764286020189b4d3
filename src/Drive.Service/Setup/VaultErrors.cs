using System.Diagnostics;
using Drive.Control;
using Drive.Core.Stores;
using Drive.Vault;

namespace Drive.Service.Setup;

/// <summary>The one table from what a vault or store refuses to what a command says.</summary>
internal static class VaultErrors
{
    /// <summary>The refusal for people, or null when the exception is none of theirs.</summary>
    public static DriveException? Translate(Exception exception, string store) => exception switch
    {
        DriveException known => known,
        VaultException vault => new DriveException(ErrorOf(vault.Kind), Sentence(vault, store), vault),
        VaultIntegrityException integrity => new DriveException(
            DriveError.BadVault, $"The vault in '{store}' failed a check ({integrity.Message}): nothing of it was used; bring back an untouched copy of the store.", integrity),
        StoreException failed => new DriveException(ErrorOf(failed.Kind), failed.Message, failed),
        _ => null,
    };

    /// <summary>Does work on a vault; what a vault or store refuses on the way is said for people.</summary>
    public static async Task<T> TranslatedAsync<T>(string store, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (exception is not DriveException && Translate(exception, store) is { } known)
        {
            throw known;
        }
    }

    /// <summary>What kind a vault's refusal is.</summary>
    public static DriveError ErrorOf(VaultErrorKind kind) => kind switch
    {
        VaultErrorKind.NoVault or VaultErrorKind.Interrupted or VaultErrorKind.NewerFormat => DriveError.BadVault,
        VaultErrorKind.AlreadyExists => DriveError.InUse,
        VaultErrorKind.NotReady => DriveError.NotReady,
        VaultErrorKind.WrongSecret or VaultErrorKind.NeedsAccountKey or VaultErrorKind.MalformedSecret or VaultErrorKind.MalformedKeys or VaultErrorKind.NotMember => DriveError.WrongSecret,
        _ => throw new UnreachableException(),
    };

    /// <summary>What kind a store's failure is.</summary>
    public static DriveError ErrorOf(StoreErrorKind kind) => kind switch
    {
        StoreErrorKind.Unreachable or StoreErrorKind.Throttled or StoreErrorKind.Denied or StoreErrorKind.SignInRefused or StoreErrorKind.Full => DriveError.StoreUnreachable,
        StoreErrorKind.TooLarge or StoreErrorKind.Malformed => DriveError.BadVault,
        StoreErrorKind.Failed => DriveError.Failed,
        _ => throw new UnreachableException(),
    };

    private static string Sentence(VaultException exception, string store) => exception.Kind switch
    {
        VaultErrorKind.NoVault => $"'{store}' holds no vault: look at the path, or make one with 'drive init {store}'.",
        VaultErrorKind.AlreadyExists => $"'{store}' holds a vault already: 'drive recover {store}' opens it on this machine, or choose another folder.",
        VaultErrorKind.NewerFormat => $"The vault in '{store}' was made by a newer Drive: install that version.",
        VaultErrorKind.Interrupted => $"Making the vault in '{store}' was interrupted before it held anything: 'drive init {store}' makes it anew.",
        _ => exception.Message,
    };
}
