using Drive.Service.Backups;

namespace Drive.Service.Tests.Backups;

/// <summary>What the system says of power and links, as files and lines of other machines.</summary>
public sealed class MachineRestTests
{
    [Theory]
    [InlineData(null)]
    [InlineData(17, "BAT0 type=Battery status=Discharging capacity=17", "AC type=Mains online=0")]
    [InlineData(null, "BAT0 type=Battery status=Charging capacity=17", "AC type=Mains online=1")]
    [InlineData(null, "BAT0 type=Battery status=Discharging capacity=17", "AC type=Mains online=1")]
    [InlineData(null, "BAT0 type=Battery status=Full capacity=100")]
    [InlineData(80, "BAT0 type=Battery status=Discharging capacity=80", "BAT1 type=Battery status=Unknown capacity=3")]
    [InlineData(null, "mouse type=Battery scope=Device status=Discharging capacity=5")]
    [InlineData(null, "BAT0 type=Battery status=Discharging capacity=12", "usbc type=USB online=1")]
    [InlineData(null, "BAT0 type=Battery status=Discharging")]
    public void A_battery_is_read_as_the_kernel_shows_it(int? percent, params string[] supplies)
    {
        using TemporaryHome home = new();
        foreach (string[] words in supplies.Select(static supply => supply.Split(' ')))
        {
            string folder = Directory.CreateDirectory(Path.Combine(home.Root, words[0])).FullName;
            foreach (string[] pair in words.Skip(1).Select(static word => word.Split('=')))
            {
                File.WriteAllText(Path.Combine(folder, pair[0]), pair[1] + "\n");
            }
        }

        Assert.Equal(percent, PowerSupply.BatteryPercent(home.Root));
    }

    [Fact]
    public void A_machine_that_says_nothing_is_on_mains() => Assert.Null(PowerSupply.BatteryPercent("/no/such/folder"));

    [Theory]
    [InlineData("", false)]
    [InlineData("GENERAL.STATE:100 (connected)\nGENERAL.METERED:yes\nIP4.GATEWAY:192.168.43.1\nIP6.GATEWAY:\n", true)]
    [InlineData("GENERAL.STATE:100 (connected)\nGENERAL.METERED:yes (guessed)\nIP4.GATEWAY:192.168.43.1\n", true)]
    [InlineData("GENERAL.STATE:100 (connected)\nGENERAL.METERED:no (guessed)\nIP4.GATEWAY:192.168.1.1\n", false)]
    [InlineData("GENERAL.STATE:100 (connected)\nGENERAL.METERED:unknown\nIP4.GATEWAY:192.168.1.1\n", false)]
    [InlineData("GENERAL.METERED:yes\nIP4.GATEWAY:10.0.0.1\n\nGENERAL.METERED:no\nIP4.GATEWAY:192.168.1.1\n", false)]
    [InlineData("GENERAL.METERED:yes\nIP4.GATEWAY:10.0.0.1\n\nGENERAL.METERED:unknown\nIP4.GATEWAY:--\nIP6.GATEWAY:\n", true)]
    [InlineData("GENERAL.METERED:yes\nIP4.GATEWAY:\nIP6.GATEWAY:fe80\\:\\:1\n", true)]
    [InlineData("Error: NetworkManager is not running.", false)]
    public void A_link_is_metered_when_every_way_out_is(string output, bool isMetered) => Assert.Equal(isMetered, MeteredLink.IsMetered(output));
}
