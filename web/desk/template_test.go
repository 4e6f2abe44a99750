package desk

import (
	"testing"

	"yagona/web/ui/uitest"
)

func TestTemplatesFitTheirData(t *testing.T) {
	uitest.Templates(t, Templates(), nil, []uitest.Component{picture{}, photoForms{}, receiptCode{}, shell{}}, nil)
}
