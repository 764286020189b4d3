using System.Text;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Folder;

namespace Drive.Stores.Koofr;

/// <summary>
/// The marker of a store: a random id in a file, which tells the store's folder from another one that stands in its place (somebody moved it, another account, a mount
/// of a service that is offline). Only while it is seen may anything be called absent, or put.
/// </summary>
/// <param name="Text">What it holds.</param>
internal sealed record KoofrRoot(string Text)
{
    // A character that no object name has.
    private const string MarkerName = "_store";
    private const int IdDigits = 32;
    private const int BytesMax = 64;

    /// <summary>The marker, or null when there is none. <see cref="StoreException"/> when something else is in its place.</summary>
    public static async Task<KoofrRoot?> FindAsync(KoofrFolder folder, KoofrPlace place, CancellationToken cancellationToken)
    {
        if (await folder.GetAsync(MarkerName, BytesMax, cancellationToken) is not { } content)
        {
            return null;
        }

        string text = Encoding.ASCII.GetString(content);
        return text.TrimEnd('\n') is { Length: IdDigits } id && id.All(char.IsAsciiHexDigitLower) ? new KoofrRoot(text) : throw Gone(place);
    }

    /// <summary>Makes the store: its folder, unless it is there and empty, and the marker. Of two that make it at once one makes the marker, and both go by that.</summary>
    public static async Task<KoofrRoot> MakeAsync(KoofrFolder folder, KoofrPlace place, IRandomSource random, CancellationToken cancellationToken)
    {
        IReadOnlyList<KoofrFile>? there = await folder.MembersAsync(cancellationToken);
        if (there?.FirstOrDefault(static file => file.Name != MarkerName) is { } other)
        {
            throw new StoreException(StoreErrorKind.Denied, isTransient: false, $"{place} has something else in it ({other.Name}): choose a folder that is empty or does not exist.");
        }

        if (there is null)
        {
            await folder.MakeRootAsync(cancellationToken);
        }

        await folder.PutAsync(MarkerName, Encoding.ASCII.GetBytes(StoreRoot.NewId(random) + "\n"), cancellationToken);
        return await FindAsync(folder, place, cancellationToken) ?? throw Gone(place);
    }

    /// <summary>Fails unless the marker is there and is the one that was seen first.</summary>
    public async Task RequireAsync(KoofrFolder folder, KoofrPlace place, CancellationToken cancellationToken)
    {
        if (await folder.GetAsync(MarkerName, BytesMax, cancellationToken) is not { } content || Encoding.ASCII.GetString(content) != Text)
        {
            throw Gone(place);
        }
    }

    public static StoreException Gone(KoofrPlace place) =>
        new(StoreErrorKind.Unreachable, isTransient: true, $"The store at {place} is gone, or something else stands there: look at the folder in the account.");
}
