using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Extended attributes: names and values as they come, classes are the kernel's business.</summary>
public sealed partial class ReferenceVolume
{
    private const int XattrValueBytesMax = 65536;

    public FsStatus GetExtendedAttribute(NodeId node, ReadOnlySpan<byte> name, Span<byte> value, out int length)
    {
        lock (_lock)
        {
            length = 0;
            FsStatus status = FindXattr(node, name, out ReferenceNode _, out byte[]? found);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            return found is null ? FsStatus.NoAttribute : CopyOut(found, value, out length);
        }
    }

    public FsStatus ListExtendedAttributes(NodeId node, Span<byte> names, out int length)
    {
        lock (_lock)
        {
            length = 0;
            FsStatus status = FindNode(node, out ReferenceNode found);
            return status == FsStatus.Ok
                ? CopyOut([.. found.Xattrs.Keys.SelectMany(name => (byte[])[.. name, 0])], names, out length)
                : status;
        }
    }

    public FsStatus SetExtendedAttribute(NodeId node, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, AttributeSetOptions options)
    {
        lock (_lock)
        {
            FsStatus status = FindXattr(node, name, out ReferenceNode found, out byte[]? old);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            if (IsReadOnly)
            {
                return FsStatus.ReadOnly;
            }

            if (value.Length > XattrValueBytesMax)
            {
                return FsStatus.ValueTooLarge;
            }

            if (old is null && (options & AttributeSetOptions.ReplaceOnly) != 0)
            {
                return FsStatus.NoAttribute;
            }

            if (old is not null && (options & AttributeSetOptions.CreateOnly) != 0)
            {
                return FsStatus.Exists;
            }

            found.Xattrs[name.ToArray()] = value.ToArray();
            found.ChangeTime = Now();
            return FsStatus.Ok;
        }
    }

    public FsStatus RemoveExtendedAttribute(NodeId node, ReadOnlySpan<byte> name)
    {
        lock (_lock)
        {
            FsStatus status = FindXattr(node, name, out ReferenceNode found, out byte[]? old);
            if (status != FsStatus.Ok)
            {
                return status;
            }

            if (IsReadOnly)
            {
                return FsStatus.ReadOnly;
            }

            if (old is null)
            {
                return FsStatus.NoAttribute;
            }

            found.Xattrs.Remove(name.ToArray());
            found.ChangeTime = Now();
            return FsStatus.Ok;
        }
    }

    private FsStatus FindXattr(NodeId node, ReadOnlySpan<byte> name, out ReferenceNode found, out byte[]? value)
    {
        value = null;
        FsStatus status = FindNode(node, out found);
        if (status != FsStatus.Ok)
        {
            return status;
        }

        if (name.Length > FileName.BytesMax)
        {
            return FsStatus.NameTooLong;
        }

        if (name.IsEmpty || name.Contains((byte)0))
        {
            return FsStatus.Invalid;
        }

        found.Xattrs.TryGetValue(name.ToArray(), out value);
        return FsStatus.Ok;
    }

    private static FsStatus CopyOut(ReadOnlySpan<byte> source, Span<byte> destination, out int length)
    {
        length = source.Length;
        if (destination.IsEmpty)
        {
            return FsStatus.Ok;
        }

        return source.TryCopyTo(destination) ? FsStatus.Ok : FsStatus.BufferTooSmall;
    }
}
