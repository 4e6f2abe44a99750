package passkey

import (
	"io/fs"
	"os"
	"testing"

	"yagona/web/ui/uitest"
)

func TestTemplatesFitTheirData(t *testing.T) {
	uitest.Templates(t, Templates(), []fs.FS{os.DirFS("../ui/templates")}, []uitest.Component{Asked{}}, nil)
}
