using System.Text;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Folder;

namespace Drive.Stores.WebDav;

/// <summary>
/// The marker of a store: a random id, which tells the store from whatever else answers at its URL (a disk that is not mounted on the server, another folder, a page
/// that wants a password), and the step by which names are given, the same for every device. Only while it is seen may anything be called absent.
/// </summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Text">What it holds.</param>
/// <param name="Slot">The step.</param>
internal sealed record DavRoot(string Path, string Text, DavSlot Slot)
{
    private const int BytesMax = 128;

    /// <summary>The marker, or null when there is none. <see cref="StoreException"/> when something else is in its place.</summary>
    public static async Task<DavRoot?> FindAsync(DavFolder folder, DavPlace place, CancellationToken cancellationToken)
    {
        foreach (string path in new[] { DavFolder.MarkerName + DavFolder.Inner, DavFolder.MarkerName })
        {
            if (await folder.GetAsync(path, BytesMax, cancellationToken) is { } content)
            {
                string text = Encoding.ASCII.GetString(content);
                return text.TrimEnd('\n').Split(' ') is [{ Length: 32 } id, { } slot] && id.All(char.IsAsciiHexDigitLower) && DavPlace.SlotOf(slot) is { } step
                    ? new DavRoot(path, text, step)
                    : throw Gone(place);
            }
        }

        return null;
    }

    /// <summary>
    /// Makes the store: its folder, unless it is there and empty, the choice of the step, unless it is given, and the marker. Of two that make it at once one makes
    /// the marker, and both go by that.
    /// </summary>
    public static async Task<DavRoot> MakeAsync(DavFolder folder, DavPlace place, IRandomSource random, CancellationToken cancellationToken)
    {
        List<DavResource> there = await folder.FindAsync("", 1, cancellationToken);
        if (there.Select(folder.Below).FirstOrDefault(static name => name is not (null or "" or DavFolder.MarkerName or DavFolder.TemporaryName)) is { } other)
        {
            throw new StoreException(StoreErrorKind.Denied, isTransient: false, $"{place} has something else in it ({other}): choose a folder that is empty or does not exist.");
        }

        if (there.Count == 0)
        {
            await folder.MakeRootAsync(cancellationToken);
        }

        DavSlot slot = place.Slot ?? await new DavTrial(folder, place).ChooseAsync(cancellationToken);
        string text = $"{StoreRoot.NewId(random)} {slot.ToString().ToLowerInvariant()}\n";
        await folder.PublishAsync(slot, DavFolder.MarkerName, Encoding.ASCII.GetBytes(text), cancellationToken);
        return await FindAsync(folder, place, cancellationToken) ?? throw Gone(place);
    }

    /// <summary>Fails unless the marker is there and is the one that was seen first.</summary>
    public async Task RequireAsync(DavFolder folder, DavPlace place, CancellationToken cancellationToken)
    {
        if (await folder.GetAsync(Path, BytesMax, cancellationToken) is not { } content || Encoding.ASCII.GetString(content) != Text)
        {
            throw Gone(place);
        }
    }

    private static StoreException Gone(DavPlace place) =>
        new(StoreErrorKind.Unreachable, isTransient: true, $"The store at {place} is gone, or something else answers there: look at the server.");
}
