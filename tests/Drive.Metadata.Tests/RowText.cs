using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Metadata.Tests;

/// <summary>Rows as text: equal texts are equal rows, and a failed test shows them.</summary>
internal static class RowText
{
    public static string Of(NodeRow? row, bool withLocal = true) =>
        row is null ? "-" : string.Join(' ', row.Node, row.Mode, withLocal || !FileMode.IsDirectory(row.Mode) ? row.LinkCount : 0, row.Uid, row.Gid, row.DeviceNumber,
            row.Size, withLocal ? row.AccessTime : 0, row.ModifyTime, row.ChangeTime, row.BirthTime, row.LinkTarget is null ? "-" : Convert.ToHexString(row.LinkTarget));

    public static string Of(EntryRow? row, bool withLocal = true) =>
        row is null ? "-" : string.Join(' ', row.Parent, Convert.ToHexString(row.Name), row.Node, withLocal ? row.EntryId : 0);

    public static string Of(ExtentRow? row) => row is null ? "-" : string.Join(' ', row.Node, row.Offset, row.Length, row.Block.Value, row.BlockOffset);

    public static string Of(XattrRow? row) => row is null ? "-" : string.Join(' ', row.Node, Convert.ToHexString(row.Name), Convert.ToHexString(row.Value));

    public static string Of(BlockRow? row) =>
        row is null ? "-" : string.Join(' ', row.Block.Value, row.Pack.Value, row.PackOffset, row.FirstSegment, row.PlainLength, string.Join(',', row.Segments));

    /// <summary>A row set without what is local, sorted.</summary>
    public static string[] Of(RowSet rows) =>
    [
        .. rows.Nodes.Select(static row => "node " + Of(row, withLocal: false)).Order(StringComparer.Ordinal),
        .. rows.Entries.Select(static row => "entry " + Of(row, withLocal: false)).Order(StringComparer.Ordinal),
        .. rows.Extents.Select(static row => "extent " + Of(row)).Order(StringComparer.Ordinal),
        .. rows.Xattrs.Select(static row => "xattr " + Of(row)).Order(StringComparer.Ordinal),
    ];
}
