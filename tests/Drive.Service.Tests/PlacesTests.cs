using System.Text;
using Drive.Control;

namespace Drive.Service.Tests;

public sealed class PlacesTests
{
    [Fact]
    public void The_defaults_are_those_of_the_XDG_base_directories()
    {
        DrivePaths paths = DrivePaths.Resolve(_ => null, "/home/ada");
        Assert.Equal("/home/ada/.config/drive", paths.Config);
        Assert.Equal("/home/ada/.local/state/drive", paths.State);
        Assert.Equal("/home/ada/.cache/drive", paths.Cache);
        Assert.Equal("/home/ada/.local/share/drive", paths.Data);
        Assert.Equal("/home/ada/.local/state/drive/run", paths.Run);
        Assert.False(paths.IsSelfContained);
    }

    [Fact]
    public void Variables_of_the_specification_are_followed_and_relative_ones_ignored()
    {
        Dictionary<string, string> variables = new() { ["XDG_CONFIG_HOME"] = "/c", ["XDG_STATE_HOME"] = "relative", ["XDG_CACHE_HOME"] = "/k", ["XDG_RUNTIME_DIR"] = "/tmp" };
        DrivePaths paths = DrivePaths.Resolve(variables.GetValueOrDefault, "/home/ada");
        Assert.Equal("/c/drive", paths.Config);
        Assert.Equal("/home/ada/.local/state/drive", paths.State);
        Assert.Equal("/k/drive", paths.Cache);
        Assert.Equal("/tmp/drive", paths.Run);
    }

    [Fact]
    public void Drive_home_puts_everything_under_one_directory()
    {
        Dictionary<string, string> variables = new() { ["DRIVE_HOME"] = "/d", ["XDG_CONFIG_HOME"] = "/c", ["XDG_RUNTIME_DIR"] = "/tmp" };
        DrivePaths paths = DrivePaths.Resolve(variables.GetValueOrDefault, "/home/ada");
        Assert.All([paths.Config, paths.State, paths.Cache, paths.Data, paths.Run, paths.ConfigFile, paths.Keys], path => Assert.StartsWith("/d/", path, StringComparison.Ordinal));
        Assert.True(paths.IsSelfContained);
    }

    [Fact]
    public void A_socket_whose_path_would_be_too_long_gets_a_short_one()
    {
        Dictionary<string, string> variables = new() { ["DRIVE_HOME"] = "/" + new string('d', 200) };
        DrivePaths paths = DrivePaths.Resolve(variables.GetValueOrDefault, "/home/ada");
        string socket = ControlSocket.PathFor(paths, "work");
        Assert.True(Encoding.UTF8.GetByteCount(socket) <= ControlSocket.PathBytesMax);
        Assert.NotEqual(socket, ControlSocket.PathFor(paths, "other"));
        Assert.Equal("/d/run/work.sock", ControlSocket.PathFor(paths with { Run = "/d/run" }, "work"));
    }

    [Theory]
    [InlineData("drive", true)]
    [InlineData("a.b-c_9", true)]
    [InlineData("", false)]
    [InlineData("-x", false)]
    [InlineData(".hidden", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("ümlaut", false)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    public void Names_of_vaults_are_plain(string name, bool isValid) => Assert.Equal(isValid, VaultName.IsValid(name));
}
