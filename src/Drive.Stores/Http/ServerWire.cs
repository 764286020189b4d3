using Drive.Core.Stores;

namespace Drive.Stores.Http;

/// <summary>What Drive's server and its client must agree on besides HTTP itself. docs/server.md is the specification.</summary>
public static class ServerWire
{
    /// <summary>What every path of the store begins with.</summary>
    public const string Root = "/v1/";

    /// <summary>
    /// A header of each answer that says no: one of the words below. An answer without it came from somebody else (a proxy, a page of a hotel), and says nothing
    /// about any object.
    /// </summary>
    public const string ReasonHeader = "Drive-Reason";

    /// <summary>404: the vault is there and the object is not.</summary>
    public const string Absent = "absent";

    /// <summary>404: this user has no vault of that name.</summary>
    public const string NoVault = "no-vault";

    /// <summary>412: the name has an object already.</summary>
    public const string Taken = "taken";

    /// <summary>A header of a page of a listing that is not the last: the name that the next one begins after.</summary>
    public const string NextHeader = "Drive-Next";

    /// <summary>The most names in a page.</summary>
    public const int PageMax = 1000;

    /// <summary>The longest name of a vault or a user.</summary>
    public const int NameMax = 64;

    /// <summary>The line of a watch that says that something was made.</summary>
    public const string Changed = "data: changed";

    /// <summary>A watch on which nothing happens gets a line this often.</summary>
    public static TimeSpan KeepAlive { get; } = TimeSpan.FromSeconds(15);

    /// <summary>Whether it can name a vault or a user: 1 to 64 of a-z 0-9 - and '.', and a dot is not its first.</summary>
    public static bool IsName(ReadOnlySpan<char> name) => name.Length <= NameMax && !name.Contains('/') && ObjectName.IsValid(name);
}
